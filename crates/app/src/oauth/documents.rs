//! What a provider says of itself and its keys, fetched when somebody needs it and kept for a while.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use tokio::sync::Mutex;
use upstream::http::Http;
use upstream::openid::{self, Metadata, ProviderError};
use vault::jwks::JwkSet;

/// How long a document is used without asking again.
const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// How long one is used while the provider does not answer.
const USED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// After a failure the provider is left alone for so long, so that nobody waits for what was just seen to fail.
const LEFT_ALONE: Duration = Duration::from_secs(5);
/// Keys are asked for again because none of them fits at most this often: anybody can send tokens with made-up ids.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// A document, or why there is none, and when that was seen.
struct Kept<T> {
    document: Option<(Arc<T>, Timestamp)>,
    failed: Option<(ProviderError, Timestamp)>,
}

/// The two documents of one provider. Locked while one is fetched: whoever comes meanwhile waits for that answer.
pub(super) struct Documents {
    issuer: String,
    metadata: Mutex<Kept<Metadata>>,
    keys: Mutex<Kept<JwkSet>>,
}

impl<T> Kept<T> {
    const fn nothing() -> Self {
        Self { document: None, failed: None }
    }

    /// The document, if it is so young.
    fn within(&self, age: Duration, now: Timestamp) -> Option<Arc<T>> {
        let (document, at) = self.document.as_ref()?;
        (now.since(*at) < age).then(|| document.clone())
    }

    /// The document when it is `fresh`, else what `fetch` brings, else what there was.
    async fn get(
        &mut self,
        fresh: Duration,
        now: Timestamp,
        fetch: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<Arc<T>, ProviderError> {
        if let Some(document) = self.within(fresh, now) {
            return Ok(document);
        }
        let recent = self.failed.filter(|(_, at)| now.since(*at) < LEFT_ALONE);
        let error = match recent {
            Some((error, _)) => error,
            None => match fetch.await {
                Ok(document) => {
                    let document = Arc::new(document);
                    (self.document, self.failed) = (Some((document.clone(), now)), None);
                    return Ok(document);
                }
                Err(error) => {
                    self.failed = Some((error, now));
                    error
                }
            },
        };
        self.within(USED_FOR, now).ok_or(error)
    }
}

impl Documents {
    pub fn of(issuer: String) -> Self {
        Self { issuer, metadata: Mutex::new(Kept::nothing()), keys: Mutex::new(Kept::nothing()) }
    }

    pub async fn metadata(&self, http: &Http, now: Timestamp) -> Result<Arc<Metadata>, ProviderError> {
        let fetch = openid::discover(http, &self.issuer);
        self.metadata.lock().await.get(FRESH_FOR, now, fetch).await
    }

    pub async fn keys(&self, http: &Http, now: Timestamp) -> Result<Arc<JwkSet>, ProviderError> {
        self.keys_within(FRESH_FOR, http, now).await
    }

    /// The keys, asked for again because none fits, unless that was just done.
    pub async fn keys_again(&self, http: &Http, now: Timestamp) -> Result<Arc<JwkSet>, ProviderError> {
        self.keys_within(AGAIN_AFTER, http, now).await
    }

    async fn keys_within(
        &self,
        fresh: Duration,
        http: &Http,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, ProviderError> {
        let metadata = self.metadata(http, now).await?;
        let fetch = async {
            let document = openid::keys(http, &metadata).await?;
            let keys = JwkSet::parse(&document).filter(|keys| !keys.is_empty());
            keys.ok_or(ProviderError::Unsound("it publishes no key that can be used"))
        };
        self.keys.lock().await.get(fresh, now, fetch).await
    }
}
