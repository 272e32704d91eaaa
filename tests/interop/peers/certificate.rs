//! The certificate authority of one lab and the certificates of its servers.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Writes `ca.crt` and a pair of `.crt` and `.key` each for `server`, `tokens` and `client`.
pub(crate) fn write_into(folder: &Path) {
    let issuer = authority();
    fs::write(folder.join("ca.crt"), issuer.pem()).expect("ca.crt");
    for name in ["server", "tokens", "client"] {
        write_pair(folder, name, &issuer);
    }
}

/// A key and its certificate for localhost and 127.0.0.1.
fn write_pair(folder: &Path, name: &str, issuer: &CertifiedIssuer<'static, KeyPair>) {
    let key = KeyPair::generate().expect("a key");
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)
        .expect("valid names")
        .signed_by(&key, issuer)
        .expect("a certificate");
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    fs::write(file("crt"), certificate.pem()).expect("a certificate file");
    fs::write(file("key"), key.serialize_pem()).expect("a key file");
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).expect("no names");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
        .distinguished_name
        .push(DnType::CommonName, "interop lab");
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(parameters, key).expect("a certificate")
}
