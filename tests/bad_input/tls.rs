//! Trust servers whose word is not to be taken.

use super::{Answer, Certificate, Machine, Server};
use snapbox::str;

const VERIFY: &str = "verify reg.example/app:1";

#[test]
fn certificates() {
    let stranger = Server::https(|_| Answer::ok());
    Machine::new()
        .with_address(&stranger)
        .refuses([(VERIFY, str![[r#"
trust: verify reg.example/app:1: cannot trust [SERVER]: certificate signed by unknown authority [unreachable]
hint: name its authority with --tls-ca FILE, or put it into Docker's folder as tls/[SERVER]/ca.crt
exit 3

"#]])]);
    let believed = Server::https(|_| Answer::ok()).authority;
    let machine = Machine::new().with_address(&stranger);
    machine
        .file("ca.crt", believed)
        .refuses([("verify --tls-ca ca.crt reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: cannot trust [SERVER]: certificate signed by unknown authority [unreachable]
hint: name its authority with --tls-ca FILE, or put it into Docker's folder as tls/[SERVER]/ca.crt
exit 3

"#]])]);
    let expired = Server::certified(Certificate::expired(), |_| Answer::ok());
    Machine::new()
        .with_trust_server(&expired)
        .refuses([(VERIFY, str![[r#"
trust: verify reg.example/app:1: cannot trust [SERVER]: certificate has expired or is not yet valid [unreachable]
hint: renew the server's certificate, or check this machine's clock
exit 3

"#]])]);
    let other = Server::certified(Certificate::for_name("other.example"), |_| Answer::ok());
    Machine::new()
        .with_trust_server(&other)
        .refuses([(VERIFY, str![[r#"
trust: verify reg.example/app:1: cannot trust [SERVER]: certificate is valid for another name [unreachable]
hint: address the server by a name its certificate carries
exit 3

"#]])]);
}

#[test]
fn no_certificates_at_all() {
    let plain = Server::http(|_| Answer::ok());
    Machine::new()
        .with_address(&plain)
        .refuses([(VERIFY, str![[r#"
trust: verify reg.example/app:1: cannot trust [SERVER]: server gave HTTP response to HTTPS client [unreachable]
hint: the server must speak https; check host and port
exit 3

"#]])]);
}
