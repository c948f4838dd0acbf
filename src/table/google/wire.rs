//! The way to a server: encrypted connections, or connections within this process.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use crate::net::{Network, address, tls};

/// Makes connections. What comes over them is the same whoever makes them, so that everything above can be
/// tried against a server in the same process.
#[derive(Clone)]
pub struct Wire(Arc<Way>);

enum Way {
    /// TCP, with TLS where the address says https; through a proxy where there is one, but to servers on this machine.
    Network {
        direct: HttpsConnector<HttpConnector>,
        proxied: Option<Box<HttpsConnector<Tunnel<HttpConnector>>>>,
    },
    /// A stream that somebody in this process serves.
    Process(Box<dyn Fn() -> BoxStream + Send + Sync>),
}

type BoxStream = Box<dyn Stream>;

/// A connection as tokio knows it.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An address that does not answer by then is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Wire {
    /// Connections over the network: rustls, no proxy but the one that it is told.
    ///
    /// # Errors
    /// If TLS cannot be set up, which would be a fault of the build.
    pub fn network(network: &Network) -> Result<Self, rustls::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        let tls = tls::client_config(network)?;
        let secured = || {
            HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_all_versions()
        };
        let direct = secured().wrap_connector(tcp.clone());
        let proxied = network.proxy().cloned();
        let proxied = proxied.map(|proxy| Box::new(secured().wrap_connector(Tunnel::new(proxy, tcp))));
        Ok(Self(Arc::new(Way::Network { direct, proxied })))
    }

    /// Connections to a server in this process: each call gives the client's end of a new one. Nothing
    /// leaves the process, so the tokio clock may be paused.
    pub fn in_process<S>(connect: impl Fn() -> S + Send + Sync + 'static) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self(Arc::new(Way::Process(Box::new(move || Box::new(connect())))))
    }
}

impl Service<Uri> for Wire {
    type Response = Line;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Line, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(())) // neither way has a limit
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match &*self.0 {
            Way::Network { proxied: Some(proxied), .. } if !address::is_loopback(&to.to_string()) => {
                line(proxied.as_ref().clone().call(to))
            }
            Way::Network { direct, .. } => line(direct.clone().call(to)),
            Way::Process(connect) => {
                let stream = TokioIo::new(connect());
                std::future::ready(Ok(Line { is_h2: false, stream: Box::pin(stream) })).boxed()
            }
        }
    }
}

fn line<S>(
    connecting: impl Future<Output = Result<S, BoxError>> + Send + 'static,
) -> BoxFuture<'static, Result<Line, BoxError>>
where
    S: Connection + Read + Write + Send + 'static,
{
    async move {
        let stream = connecting.await?;
        let is_h2 = stream.connected().is_negotiated_h2();
        Ok(Line { is_h2, stream: Box::pin(stream) })
    }
    .boxed()
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A connection as hyper knows it.
pub struct Line {
    is_h2: bool,
    stream: Pin<Box<dyn Duplex>>,
}

trait Duplex: Read + Write + Send {}

impl<T: Read + Write + Send> Duplex for T {}

impl Connection for Line {
    fn connected(&self) -> Connected {
        if self.is_h2 { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

impl Read for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.stream.as_mut().poll_read(cx, buf)
    }
}

impl Write for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.stream.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(cx, slices)
    }
}
