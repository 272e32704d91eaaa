//! Manifests whose bytes have the digest they were asked for by, kept in memory and fetched once.

use super::parts::Parts;
use super::upstream::Upstreams;
use crate::reference::{Digest, ImageReference};
use crate::registry::{Manifest, Registry, RegistryError, Served};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use quick_cache::{Weighter, sync::Cache};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A manifest and what is known of it.
#[derive(Debug)]
pub(super) struct Kept {
    /// Exactly as served
    pub(super) bytes: Bytes,
    /// SHA-256 of the bytes, or the digest they were asked for by
    pub(super) digest: Digest,
    /// What the bytes say they are, if that is an image or an index
    pub(super) media_type: Result<String, RegistryError>,
    /// What the registry says they are
    pub(super) claimed_type: Option<String>,
    /// What they name
    pub(super) parts: Parts,
}

/// Manifests by repository and digest. Clones are the same.
#[derive(Clone)]
pub(super) struct Shelf(Arc<Inner>);

struct Inner {
    kept: Cache<String, Arc<Kept>, Bytewise>,
    flights: Mutex<HashMap<String, Flight>>,
}

type Flight = Shared<BoxFuture<'static, Result<Arc<Kept>, RegistryError>>>;

#[derive(Clone)]
struct Bytewise;

impl Weighter<String, Arc<Kept>> for Bytewise {
    fn weight(&self, key: &String, kept: &Arc<Kept>) -> u64 {
        let parts = kept.parts.named.len() * OF_A_PART;
        u64::try_from(kept.bytes.len() + parts + key.len() + OF_A_PART).unwrap_or(u64::MAX)
    }
}

impl Kept {
    /// What was served; `asked` is the digest that was checked already.
    pub(super) fn new(served: Served, asked: Option<&Digest>) -> Self {
        let claimed_type = served.content_type.as_ref();
        let claimed_type = claimed_type.and_then(|claimed| claimed.to_str().ok());
        let claimed_type = claimed_type.map(str::to_owned);
        let digest = asked.cloned().unwrap_or_else(|| Digest::of(&served.bytes));
        let media_type = Manifest::media_type_of(&served.bytes).map(str::to_owned);
        Self {
            digest,
            media_type,
            claimed_type,
            parts: Parts::of(&served.bytes),
            bytes: served.bytes.into(),
        }
    }
}

impl Shelf {
    /// A shelf for so many bytes of manifests.
    pub(super) fn of_bytes(bytes: u64) -> Self {
        Self(Arc::new(Inner {
            kept: Cache::with_weighter(USUAL_NUMBER, bytes, Bytewise),
            flights: Mutex::default(),
        }))
    }

    /// The manifest with the digest of the image: from memory, else fetched for all who wait.
    pub(super) async fn manifest(
        &self,
        image: &ImageReference,
        upstreams: &Upstreams,
    ) -> Result<Arc<Kept>, RegistryError> {
        let key = image.to_string();
        if let Some(kept) = self.0.kept.get(&key) {
            return Ok(kept);
        }
        self.flight(key, image, upstreams).await
    }

    fn flight(&self, key: String, image: &ImageReference, upstreams: &Upstreams) -> Flight {
        let mut flights = self
            .0
            .flights
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&key) {
            return flight.clone();
        }
        let (own, image, upstreams) = (self.clone(), image.clone(), upstreams.clone());
        let name = key.clone();
        // A task of its own: whoever asked first may go away.
        let fetching = tokio::spawn(async move {
            let fetched = fetch(&image, &upstreams).await;
            own.land(name, &fetched);
            fetched
        });
        let flight = fetching
            .map(|ended| ended.unwrap_or_else(|error| Err(broken(&error))))
            .boxed()
            .shared();
        flights.insert(key, flight.clone());
        flight
    }

    fn land(&self, key: String, fetched: &Result<Arc<Kept>, RegistryError>) {
        let mut flights = self
            .0
            .flights
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        flights.remove(&key);
        if let Ok(kept) = fetched {
            self.0.kept.insert(key, Arc::clone(kept));
        }
    }
}

async fn fetch(image: &ImageReference, upstreams: &Upstreams) -> Result<Arc<Kept>, RegistryError> {
    let question = |registry: Arc<Registry>| async move { registry.anything(image).await };
    let served = upstreams.ask(image, question).await?;
    Ok(Arc::new(Kept::new(served, image.digest())))
}

fn broken(error: &tokio::task::JoinError) -> RegistryError {
    RegistryError::Unreachable {
        host: String::new(),
        reason: error.to_string(),
    }
}

/// Manifests that a shelf is made for; it holds more if they are small.
const USUAL_NUMBER: usize = 10_000;
/// Bytes of a part, its digest above all.
const OF_A_PART: usize = 128;
