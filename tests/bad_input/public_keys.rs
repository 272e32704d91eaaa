//! Public keys of signers that are none, or good for nothing.

use super::{Machine, openssl};
use snapbox::str;

#[test]
fn public_keys_that_cannot_be_used() {
    let good = openssl("public-ec");
    let machine = Machine::new();
    machine
        .file("private.pub", openssl("ec-pkcs8"))
        .file("encrypted.pub", openssl("ec-pkcs8-default"))
        .file("empty.pub", "")
        .file("binary.pub", [0xff, 0x00, 0xfe])
        .file("half.pub", &good[..good.len() / 2])
        .file("huge.pub", vec![b'\n'; (1 << 20) + 1])
        .file(
            "ssh.pub",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA me@home\n",
        )
        .file("rsa1024.pub", RSA_1024)
        .file("x25519.pub", X25519)
        .folder("folder.pub");
    machine.refuses([
        ("signer add --key absent.pub alice reg.example/app", str![[r#"
trust: signer add: unable to read public key from file: open absent.pub: no such file or directory
exit 2

"#]]),
        ("signer add --key private.pub alice reg.example/app", str![[r#"
trust: signer add: could not parse public key from file: private.pub: unsupported PEM block type "PRIVATE KEY", expected CERTIFICATE or PUBLIC KEY
hint: name the signer's public key in PEM; `key generate` writes it to NAME.pub
exit 2

"#]]),
        ("signer add --key encrypted.pub alice reg.example/app", str![[r#"
trust: signer add: could not parse public key from file: encrypted.pub: unsupported PEM block type "ENCRYPTED PRIVATE KEY", expected CERTIFICATE or PUBLIC KEY
hint: name the signer's public key in PEM; `key generate` writes it to NAME.pub
exit 2

"#]]),
        ("signer add --key empty.pub alice reg.example/app", str![[r#"
trust: signer add: could not parse public key from file: empty.pub: no valid public key found
hint: name the signer's public key in PEM; `key generate` writes it to NAME.pub
exit 2

"#]]),
        ("signer add --key binary.pub alice reg.example/app", str![[r#"
trust: signer add: could not parse public key from file: binary.pub: no valid public key found
hint: name the signer's public key in PEM; `key generate` writes it to NAME.pub
exit 2

"#]]),
        ("signer add --key half.pub alice reg.example/app", str![[r#"
trust: signer add: could not parse public key from file: half.pub: no valid public key found
hint: name the signer's public key in PEM; `key generate` writes it to NAME.pub
exit 2

"#]]),
        ("signer add --key huge.pub alice reg.example/app", str![[r#"
trust: signer add: unable to read public key from file: huge.pub: the file is larger than 1048576 bytes, no key is
exit 2

"#]]),
        ("signer add --key ssh.pub alice reg.example/app", str![[r#"
trust: signer add: could not parse public key from file: ssh.pub: no valid public key found
hint: name the signer's public key in PEM; `key generate` writes it to NAME.pub
exit 2

"#]]),
        ("signer add --key rsa1024.pub alice reg.example/app", str![[r#"
trust: signer add: no signature by the key in rsa1024.pub could ever be verified
hint: use a key on curve P-256 or P-384, an RSA key of 2048 to 8192 bits, or Ed25519
exit 2

"#]]),
        ("signer add --key x25519.pub alice reg.example/app", str![[r#"
trust: signer add: could not parse public key from file: x25519.pub: unable to parse pem encoded public key: unknown/unsupported OID: 1.3.101.110
hint: name the signer's public key in PEM; `key generate` writes it to NAME.pub
exit 2

"#]]),
        ("signer add --key folder.pub alice reg.example/app", str![[r#"
trust: signer add: unable to read public key from file: open folder.pub: is a directory
exit 2

"#]]),
    ]);
}

/// Too short for any signature to be believed.
const RSA_1024: &str = "\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC+XDYNFBIbyBxvI1U0QkkVE0Sy
Y0EnvumGzm79AWeH6+pCJBaA7X/H3OIVul3wmUxUHNSr7mdo78gPbKSPncroVwkI
JErjjtksOlTLubQIy3Y0JOZ8VyJXmAXFNdigW1Y0Lcsk54Y+e9UlXb9mO8tQj2qP
qmhAsBQ2LBBo+dKzmQIDAQAB
-----END PUBLIC KEY-----
";
/// A key for agreeing on secrets, which signs nothing.
const X25519: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEAceHXIoDWN8KSA4kxjhPHBAVlVCpCFFEIHPcRi0sGYQY=
-----END PUBLIC KEY-----
";
