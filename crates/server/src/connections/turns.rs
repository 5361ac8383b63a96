//! Whose turn it is on a connection: the server's while it works on an answer, the client's otherwise.
//!
//! hyper bounds the time for a head of HTTP/1 and nothing else: a handshake of HTTP/2 that is never finished, a head
//! whose last frame never comes and an answer that nobody takes would each hold a connection, and what is buffered for
//! it, as long as the client likes. All of them are the client's turn.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// The requests of one connection.
#[derive(Debug)]
pub struct Turns {
    begun: Instant,
    /// Those that the server works on.
    at_work: AtomicUsize,
    /// Milliseconds from the beginning to when the client last asked for something or took something.
    moved: AtomicU64,
}

/// The part of one request in them.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Turns>,
    is_ours: bool,
}

impl Turns {
    pub fn begin() -> Arc<Self> {
        Arc::new(Self { begun: Instant::now(), at_work: AtomicUsize::new(0), moved: AtomicU64::new(0) })
    }

    /// A request has come; it is the server's turn.
    pub fn take(self: &Arc<Self>) -> Turn {
        let mut turn = Turn { turns: self.clone(), is_ours: false };
        turn.ours();
        turn
    }

    /// Returns when nobody but the client was waited for so long, counted anew from now.
    pub async fn waited(&self, bound: Duration) {
        self.move_on();
        loop {
            let left = bound.saturating_sub(self.theirs_for());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    fn move_on(&self) {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(elapsed, Ordering::Relaxed);
    }

    /// How long it has been the client's turn.
    fn theirs_for(&self) -> Duration {
        if self.at_work.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        self.begun.elapsed().saturating_sub(Duration::from_millis(self.moved.load(Ordering::Relaxed)))
    }
}

impl Turn {
    fn ours(&mut self) {
        if !std::mem::replace(&mut self.is_ours, true) {
            self.turns.at_work.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn theirs(&mut self) {
        self.turns.move_on();
        if std::mem::replace(&mut self.is_ours, false) {
            self.turns.at_work.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.theirs();
    }
}

/// The most of a body that is handed on at once. hyper asks for more when it has room, so that a client which takes
/// a large answer slowly is seen to take it.
const PIECE: usize = 16 * 1024;

/// An answer's body, which tells whether the server or the client is waited for.
#[derive(Debug)]
pub struct Answer {
    body: Body,
    /// What is left of a part of the body that is larger than a piece.
    rest: Bytes,
    turn: Turn,
}

impl Answer {
    pub fn new(body: Body, mut turn: Turn) -> Self {
        turn.theirs();
        Self { body, rest: Bytes::new(), turn }
    }

    /// The beginning of the rest.
    fn piece(&mut self) -> Frame<Bytes> {
        self.turn.theirs();
        Frame::data(self.rest.split_to(self.rest.len().min(PIECE)))
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.piece())));
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match polled {
            // The connection would take more than there is: a stream, mostly.
            Poll::Pending => self.turn.ours(),
            Poll::Ready(_) => self.turn.theirs(),
        }
        let Poll::Ready(Some(Ok(frame))) = polled else { return polled };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(data) => {
                self.rest = data;
                self.piece()
            }
            Err(trailers) => trailers,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::poll_fn;
    use std::task::Waker;

    use futures::stream;

    use super::*;

    fn is_ours(turns: &Turns) -> bool {
        turns.at_work.load(Ordering::Relaxed) > 0
    }

    async fn next(answer: &mut Answer) -> Option<Bytes> {
        let frame = poll_fn(|cx| Pin::new(&mut *answer).poll_frame(cx)).await?;
        Some(frame.unwrap().into_data().unwrap())
    }

    #[tokio::test]
    async fn a_large_answer_goes_out_in_pieces() {
        let whole: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let turns = Turns::begin();
        let mut answer = Answer::new(Body::from(whole.clone()), turns.take());
        let mut taken = Vec::new();
        while !answer.is_end_stream() {
            assert_eq!(answer.size_hint().exact(), Some((whole.len() - taken.len()) as u64));
            let piece = next(&mut answer).await.unwrap();
            assert!(piece.len() <= PIECE && !is_ours(&turns));
            taken.extend_from_slice(&piece);
        }
        assert_eq!(taken, whole);
    }

    #[test]
    fn who_is_waited_for_is_known() {
        let turns = Turns::begin();
        assert!(!is_ours(&turns), "nothing was asked");
        let (first, second) = (turns.take(), turns.take());
        let mut live = Answer::new(Body::from_stream(stream::pending::<Result<Bytes, Infallible>>()), first);
        assert!(is_ours(&turns), "the second has no answer yet");
        drop(second);
        assert!(!is_ours(&turns), "the head of the first waits to be taken");
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut live).poll_frame(&mut cx).is_pending());
        assert!(is_ours(&turns), "it was taken, and there is nothing more yet");
        assert_eq!(turns.theirs_for(), Duration::ZERO);
        drop(live);
        assert!(!is_ours(&turns), "a client that leaves is not waited for");
    }
}
