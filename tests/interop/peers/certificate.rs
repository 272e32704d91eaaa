//! The certificate authority of one lab and the certificate of its trust server.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Writes `ca.crt`, `server.crt` and `server.key` for localhost and 127.0.0.1.
pub(crate) fn write_into(folder: &Path) {
    let issuer = authority();
    let key = KeyPair::generate().expect("a key");
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = CertificateParams::new(names)
        .expect("valid names")
        .signed_by(&key, &issuer)
        .expect("a certificate");
    fs::write(folder.join("ca.crt"), issuer.pem()).expect("ca.crt");
    fs::write(folder.join("server.crt"), server.pem()).expect("server.crt");
    fs::write(folder.join("server.key"), key.serialize_pem()).expect("server.key");
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
