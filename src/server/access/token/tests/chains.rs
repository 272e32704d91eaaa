//! Chains of certificates in tokens.

use super::*;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer};

/// A certificate authority, one below it, and a certificate of the signer.
struct Chain {
    root: String,
    middle: String,
    leaf: String,
}

fn chain(signer: &Signer, leaf: impl FnOnce(&mut CertificateParams)) -> Chain {
    let authority = |name: &str| {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params, KeyPair::generate().unwrap())
    };
    let (root, root_key) = authority("root");
    let (middle, middle_key) = authority("middle");
    let root_certificate = root.self_signed(&root_key).unwrap();
    let root = Issuer::new(root, &root_key);
    let middle_certificate = middle.signed_by(&middle_key, &root).unwrap();
    let middle = Issuer::new(middle, &middle_key);
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "tokens");
    leaf(&mut params);
    let leaf_certificate = params.signed_by(&signer.pair, &middle).unwrap();
    Chain {
        root: root_certificate.pem(),
        middle: middle_certificate.pem(),
        leaf: leaf_certificate.pem(),
    }
}

fn x5c(certificates: &[&str]) -> Value {
    let encode = |pem: &&str| STANDARD.encode(pem::parse(pem).unwrap().contents());
    json!({"x5c": certificates.iter().map(encode).collect::<Vec<_>>()})
}

#[test]
fn a_chain_leads_to_a_configured_certificate() {
    let signer = Signer::new("ES256");
    let usage = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    };
    let (ours, other) = (chain(&signer, usage), chain(&signer, |_| {}));
    let read = |roots: &[&str], x5c: Value| {
        let token = signer.token(x5c, &claims(json!({})));
        tokens(roots, &[]).unwrap().read(&token, now()).map(|_| ())
    };
    let Chain { root, middle, leaf } = &ours;
    assert_eq!(read(&[root], x5c(&[leaf, middle])), Ok(()));
    assert_eq!(read(&[root], x5c(&[leaf, middle, root])), Ok(()));
    assert_eq!(read(&[&other.root, root], x5c(&[leaf, middle])), Ok(()));
    assert_eq!(read(&[middle], x5c(&[leaf])), Ok(()));
    assert_eq!(read(&[leaf], x5c(&[leaf])), Ok(()));
    for (roots, chain) in [
        ([root], vec![leaf]),
        ([root], vec![leaf, root]),
        ([root], vec![&other.leaf, middle]),
        ([&other.root], vec![leaf, middle]),
        ([&other.root], vec![leaf, middle, root]),
        ([root], vec![middle, leaf]),
    ] {
        let chain: Vec<&str> = chain.into_iter().map(String::as_str).collect();
        let refused = read(&[roots[0]], x5c(&chain));
        assert!(matches!(refused, Err(TokenError::Chain(_))), "{refused:?}");
    }
    // Somebody else's key does not become ours by our certificates.
    let thief = Signer::new("ES256");
    let token = thief.token(x5c(&[leaf, middle]), &claims(json!({})));
    let refused = tokens(&[root], &[]).unwrap().read(&token, now());
    assert_eq!(refused.unwrap_err(), TokenError::Signature);
    // By id, too, the configured certificates are keys.
    let kid = signer.key().ids()[0].clone();
    assert_eq!(read(&[leaf], json!({ "kid": kid })), Ok(()));
    for broken in [
        json!(["!"]),
        json!([""]),
        json!(["AAAA"]),
        json!([5]),
        json!("x"),
    ] {
        let refused = read(&[root], json!({ "x5c": broken }));
        assert!(matches!(refused, Err(TokenError::Malformed(_))), "{broken}");
    }
    let many = x5c(&[leaf.as_str(); 9]);
    assert!(matches!(read(&[root], many), Err(TokenError::Malformed(_))));
}

#[test]
fn certificates_count_within_their_dates() {
    let signer = Signer::new("ES256");
    let dated = chain(&signer, |params| {
        params.not_before = rcgen::date_time_ymd(2027, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 2, 1);
    });
    let Chain { root, middle, leaf } = &dated;
    for (roots, chain) in [(root, vec![leaf, middle]), (leaf, vec![leaf])] {
        let chain: Vec<&str> = chain.into_iter().map(String::as_str).collect();
        for (time, good) in [
            ("2026-12-31T23:59:59Z", false),
            ("2027-01-15T00:00:00Z", true),
            ("2027-02-02T00:00:00Z", false),
        ] {
            let time: Timestamp = time.parse().unwrap();
            let claims = claims(json!({"exp": time.as_second() + 9, "nbf": 0}));
            let token = signer.token(x5c(&chain), &claims);
            let read = tokens(&[roots], &[]).unwrap().read(&token, time);
            assert_eq!(read.is_ok(), good, "{time} {read:?}");
        }
    }
}
