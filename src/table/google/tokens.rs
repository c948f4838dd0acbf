//! Access tokens: asked for once, refreshed when they are refused.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

use google_sheets4::common::GetToken;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{Mutex, OnceCell};
use yup_oauth2::authenticator::Authenticator;
use yup_oauth2::{CustomHyperClientBuilder, ServiceAccountAuthenticator, ServiceAccountKey};

use super::fault::{Fault, NO_TOKEN};
use super::wire::Wire;

/// Gives tokens to the client. Clones share what they know; one of them asks at a time, so that a token is not
/// asked for twice.
#[derive(Clone)]
pub(super) struct Tokens(Arc<Shared>);

struct Shared {
    key: ServiceAccountKey,
    wire: Wire,
    signing_in: OnceCell<Authenticator<Wire>>,
    /// Scopes whose present token was refused.
    refused: Mutex<HashSet<String>>,
}

impl Tokens {
    pub(super) fn new(key: ServiceAccountKey, wire: Wire) -> Self {
        let refused = Mutex::default();
        Self(Arc::new(Shared { key, wire, signing_in: OnceCell::new(), refused }))
    }

    /// The present token for this scope was refused: the next one is a new one.
    pub(super) async fn refuse(&self, scope: &str) {
        self.0.refused.lock().await.insert(scope.to_owned());
    }

    async fn token(&self, scopes: &[&str]) -> Result<String, Fault> {
        let mut refused = self.0.refused.lock().await;
        let authenticator = self.0.signing_in.get_or_try_init(|| self.0.authenticator()).await?;
        let mut anew = false;
        for scope in scopes {
            anew |= refused.remove(*scope);
        }
        let mut token = match anew {
            true => authenticator.force_refreshed_token(scopes).await,
            false => authenticator.token(scopes).await,
        };
        // An error answer in another form is taken for a token without a text, and kept for good.
        if token.as_ref().is_ok_and(|token| token.token().is_none()) {
            token = authenticator.force_refreshed_token(scopes).await;
        }
        let token = token.map_err(Fault::of_sign_in)?;
        token.token().map(str::to_owned).ok_or_else(|| Fault::SignInLater(NO_TOKEN.to_owned()))
    }
}

impl Shared {
    async fn authenticator(&self) -> Result<Authenticator<Wire>, Fault> {
        let client: Client<Wire, String> = Client::builder(TokioExecutor::new()).build(self.wire.clone());
        let client = CustomHyperClientBuilder::from(client);
        let building = ServiceAccountAuthenticator::with_client(self.key.clone(), client).build();
        building
            .await
            .map_err(|error| Fault::SignInRefused(format!("the key file's key is damaged: {error}")))
    }
}

type Token<'a> = Pin<
    Box<dyn Future<Output = Result<Option<String>, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>,
>;

impl GetToken for Tokens {
    fn get_token<'a>(&'a self, scopes: &'a [&str]) -> Token<'a> {
        Box::pin(async move { self.token(scopes).await.map(Some).map_err(Into::into) })
    }
}
