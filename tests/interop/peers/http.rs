//! Plain HTTP requests to the lab's own services.

use std::{fs, path::Path, sync::Once, time::Duration};

use reqwest::{Certificate, Client, Identity, Method};

/// A blocking view of one HTTP client.
pub(crate) struct Http {
    client: Client,
}

/// Status, one header value and the body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// Talks plain HTTP, or HTTPS to servers that `ca` vouches for.
    pub(crate) fn new(ca: Option<&Path>) -> Self {
        Self::made(ca, None)
    }

    /// Talks HTTPS within a lab, and shows its certificate `client`.
    pub(crate) fn with_certificate(lab: &Path) -> Self {
        let files = ["client.key", "client.crt"].map(|name| lab.join(name));
        let pem = files
            .map(|file| fs::read(file).expect("a PEM file"))
            .concat();
        Self::made(Some(&lab.join("ca.crt")), Some(&pem))
    }

    fn made(ca: Option<&Path>, shown: Option<&[u8]>) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut builder = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10));
        if let Some(ca) = ca {
            let pem = fs::read(ca).expect("a CA file");
            let ca = Certificate::from_pem(&pem).expect("a CA certificate");
            builder = builder.tls_certs_only([ca]);
        }
        if let Some(pem) = shown {
            builder = builder.identity(Identity::from_pem(pem).expect("a certificate"));
        }
        Self {
            client: builder.build().expect("an HTTP client"),
        }
    }

    /// Sends one request; `None` when nobody answers.
    pub(crate) fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Option<Answer> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut request = self.client.request(method, url).body(body);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = request.send().await.ok()?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let body = response.bytes().await.ok()?.to_vec();
            Some(Answer {
                status,
                headers,
                body,
            })
        })
    }

    /// The answer to a GET; `None` when nobody answers.
    pub(crate) fn get(&self, url: &str, headers: &[(&str, &str)]) -> Option<Answer> {
        self.send(Method::GET, url, headers, Vec::new())
    }
}
