//! The address to post to, made from whatever people write as `base_url`.

use reqwest::Url;

use super::SetupError;

/// Where the requests of one provider go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) url: Url,
    /// OpenAI itself or Azure: there the newer names of parameters are the right first guess.
    pub(super) is_openai: bool,
    /// OpenRouter, which speaks for many providers.
    pub(super) is_router: bool,
    /// Azure's older addresses take the key in a header of their own.
    pub(super) key_in_header: bool,
}

const OPERATION: &str = "/chat/completions";

impl Endpoint {
    /// Reads a base address: with or without `/v1`, a slash at the end, or the whole path of the operation.
    ///
    /// A bare host gets `/v1`, where nearly all servers have their API; any other path is taken as it is.
    pub(super) fn parse(base_url: &str) -> Result<Self, SetupError> {
        let refuse = |problem| SetupError::BaseUrl { problem };
        let mut url = Url::parse(base_url.trim()).map_err(|error| refuse(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse(format!("`{}` is not a scheme for it: use https", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it holds a user or a password: put the key into `api_key_env`".to_owned()));
        }
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/');
        let path = match path.strip_suffix(OPERATION).unwrap_or(path) {
            "" if !path.ends_with(OPERATION) => format!("/v1{OPERATION}"),
            base => format!("{base}{OPERATION}"),
        };
        url.set_path(&path);
        let host = url.host_str().unwrap_or_default();
        let is_azure = host.ends_with(".openai.azure.com");
        Ok(Self {
            is_openai: is_azure || host == "api.openai.com" || host.ends_with(".api.openai.com"),
            is_router: host == "openrouter.ai",
            key_in_header: path.contains("/openai/deployments/"),
            url,
        })
    }

    /// The address as it may be shown: without its query.
    pub(super) fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_way_to_write_the_address_ends_at_the_operation() {
        let cases = [
            ("https://api.openai.com", "https://api.openai.com/v1/chat/completions"),
            (" https://api.openai.com/ ", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1//", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1/chat/completions/", "https://api.openai.com/v1/chat/completions"),
            ("https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai/chat/completions"),
            ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/chat/completions"),
            ("http://127.0.0.1:11434#top", "http://127.0.0.1:11434/v1/chat/completions"),
            ("https://h.test/v1beta/openai/", "https://h.test/v1beta/openai/chat/completions"),
            (
                "https://r.openai.azure.com/openai/deployments/d?api-version=2026-01-01",
                "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2026-01-01",
            ),
        ];
        for (written, meant) in cases {
            assert_eq!(Endpoint::parse(written).unwrap().url.as_str(), meant, "{written}");
        }
    }

    #[test]
    fn the_host_is_a_hint_for_the_first_guess() {
        assert!(Endpoint::parse("https://api.openai.com/v1").unwrap().is_openai);
        assert!(Endpoint::parse("https://eu.api.openai.com/v1").unwrap().is_openai);
        assert!(!Endpoint::parse("https://api.openai.com.evil.test/v1").unwrap().is_openai);
        let azure = Endpoint::parse("https://r.openai.azure.com/openai/deployments/d").unwrap();
        assert!(azure.is_openai && azure.key_in_header);
    }

    #[test]
    fn rubbish_and_credentials_are_refused_without_showing_them() {
        for address in ["", "api.openai.com/v1", "ftp://h.test", "https://", "https://sk-canary@h.test/v1"] {
            let error = Endpoint::parse(address).unwrap_err().to_string();
            assert!(error.contains("base_url") && !error.contains("canary"), "{address}: {error}");
        }
        let with_query = Endpoint::parse("https://h.test/v1?key=canary").unwrap();
        assert!(!with_query.shown().contains("canary"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_read_again_the_same(text in ".{0,60}") {
            for address in [text.clone(), format!("http://h.test/{text}")] {
                if let Ok(endpoint) = Endpoint::parse(&address) {
                    prop_assert_eq!(&Endpoint::parse(endpoint.url.as_str()).unwrap(), &endpoint);
                }
            }
        }
    }
}
