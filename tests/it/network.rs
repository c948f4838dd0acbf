//! Connections: encrypted and checked, always; to no other host than was asked for; through a proxy only when told to.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use status_validator::llm::openai::{OpenAiModel, OpenAiParams, PromptMarks};
use status_validator::llm::{ChatModel as _, ModelId, Question, Room};
use status_validator::net::Network;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::task::AbortOnDropHandle;

use crate::support::VALID;
use crate::support::cli::{Desk, Model};

/// An authority of a company's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Company CA");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn write(&self, path: &Path) {
        std::fs::write(path, self.0.pem()).unwrap();
    }

    /// A server's certificate, good until this year.
    fn identity(&self, host: &str, until: i32) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params(host, until).signed_by(&key, &self.0).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

fn params(host: &str, until: i32) -> CertificateParams {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}

fn self_signed(host: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params(host, 2099).self_signed(&key).unwrap();
    (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

/// A model behind TLS, on any port of this machine.
async fn secured((certificate, key): Identity) -> (u16, AbortOnDropHandle<()>) {
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that refuses the certificate is part of the test.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = vec![0; 1 << 16];
            let Ok(1..) = stream.read(&mut buffer).await else { continue };
            let body = serde_json::json!({
                "choices": [{"message": {"role": "assistant", "content": VALID}, "finish_reason": "stop"}]
            })
            .to_string();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).await.ok();
            stream.shutdown().await.ok();
        }
    });
    (port, AbortOnDropHandle::new(serving))
}

/// What comes of a question to this address.
async fn asked(base_url: String, network: Network) -> Result<String, String> {
    let model = OpenAiModel::new(OpenAiParams {
        id: ModelId { provider: "company".into(), model: "m".into() },
        base_url,
        api_key: None,
        organization: None,
        http_referer: None,
        x_title: None,
        temperature: None,
        max_output_tokens: 64,
        request_timeout: Duration::from_secs(20),
        reasoning_enabled: false,
        connect_timeout: Duration::from_secs(10),
        prompt_marks: PromptMarks::None,
        network,
    })
    .unwrap();
    let fixed = status_validator::domain::prompt::StaticPrompt::new(
        &crate::support::free_rules(),
        &[],
        status_validator::domain::language::Language::En,
    );
    let question = Question { fixed: Arc::new(fixed), row: "row".into(), hint: None, room: Room::Usual };
    let answer = model.ask(&question).await;
    answer.map(|reply| reply.text).map_err(|none| none.error.to_string())
}

#[tokio::test]
async fn only_certificates_that_are_trusted_and_right_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let authority = Authority::new();
    authority.write(&path);
    let trusting = || Network::default().trusting(&path).unwrap();
    let other = Authority::new();
    for (about, identity, network, is_taken) in [
        ("a private authority that is named", authority.identity("localhost", 2099), trusting(), true),
        ("one that is not named", authority.identity("localhost", 2099), Network::default(), false),
        ("another authority", other.identity("localhost", 2099), trusting(), false),
        ("another host", authority.identity("other.test", 2099), trusting(), false),
        ("expired", authority.identity("localhost", 2021), trusting(), false),
        ("self-signed", self_signed("localhost"), trusting(), false),
    ] {
        let (port, _serving) = secured(identity).await;
        let answer = asked(format!("https://localhost:{port}/v1"), network).await;
        assert_eq!(answer.is_ok(), is_taken, "{about}: {answer:?}");
        if let Err(error) = answer {
            assert!(error.contains("certificate"), "{about}: {error}");
        }
    }
}

#[tokio::test]
async fn the_authority_is_named_in_the_settings() {
    let authority = Authority::new();
    let (port, _serving) = secured(authority.identity("localhost", 2099)).await;
    // The program is waited for on another thread: this one serves.
    let programs = tokio::task::spawn_blocking(move || {
        let desk = Desk::with_model(1, &format!("https://localhost:{port}"));
        let without = desk.run(&["-q"]);
        assert!(without.code == 3 && without.out.contains("certificate"), "{without:?}");
        let settings = desk.read("Settings.toml");
        authority.write(&desk.path("ca.pem"));
        desk.write("Settings.toml", format!("{settings}\n[network]\nca_file = \"ca.pem\"\n"));
        let with = desk.run(&["-q"]);
        assert_eq!(with.code, 0, "{with:?}");
        desk.write("Settings.toml", format!("{settings}\n[network]\nca_file = \"Settings.toml\"\n"));
        let wrong = desk.run(&["check"]);
        assert!(wrong.code == 2 && wrong.out.contains("BEGIN CERTIFICATE"), "{wrong:?}");
    });
    programs.await.unwrap();
}

#[test]
fn a_proxy_is_asked_only_when_it_is_named() {
    // A proxy sees the first line and gives no tunnel.
    let proxy = Model::answering(|_, _| crate::support::http::Answer::text(502, &[], "no way"));
    let desk = Desk::with_model(1, "https://model.invalid");
    let run = |args: &[&str]| {
        let mut command = desk.command(args);
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
            command.env(name, proxy.url());
        }
        crate::support::cli::Ended::from(command.output().unwrap())
    };
    let ignored = run(&["-q"]);
    assert!(ignored.code == 3 && proxy.requests() == 0, "{ignored:?}");
    let settings = desk.read("Settings.toml");
    desk.write("Settings.toml", format!("{settings}\n[network]\nproxy = \"{}\"\n", proxy.url()));
    let asked = run(&["-q"]);
    assert!(asked.code == 3 && proxy.requests() > 0, "{asked:?}");
    assert!(
        proxy.lines().iter().all(|line| line.starts_with("CONNECT model.invalid:443")),
        "{:?}",
        proxy.lines()
    );
    for wrong in ["https://proxy", "http://me:sk-canary-4711@proxy:1"] {
        desk.write("Settings.toml", format!("{settings}\n[network]\nproxy = \"{wrong}\"\n"));
        let told = desk.run(&["check"]);
        assert!(told.code == 2 && told.out.contains("network.proxy"), "{told:?}");
        assert!(!told.out.contains("canary"), "{told:?}");
    }
}
