//! A body has to be here in time: who sends it byte by byte is not waited for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;
use tokio::time::Sleep;

/// The longest that a body may take; the largest one is small.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gives the request a body that ends with an error when it is late.
pub(super) fn hurry(request: &mut ServiceRequest) {
    let payload = request.take_payload();
    let late = Box::pin(tokio::time::sleep(PATIENCE));
    request.set_payload(Payload::Stream { payload: Box::pin(Hurried { payload, late }) });
}

struct Hurried {
    payload: Payload,
    late: Pin<Box<Sleep>>,
}

impl Stream for Hurried {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(part) = Pin::new(&mut self.payload).poll_next(cx) {
            return Poll::Ready(part);
        }
        self.late.as_mut().poll(cx).map(|()| {
            let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the body came too slowly");
            Some(Err(PayloadError::Io(late)))
        })
    }
}
