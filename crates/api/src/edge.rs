//! What every request passes, whatever it asks for, outermost first: request id and log line, security headers,
//! problems' bodies, the rest of an unread body, the host check, a bound on panics and one on time. Then the router.
//!
//! Each step is a function with one reason. One service runs them all, because a boxed layer around every route
//! costs more than the work it does.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tower::{Layer, Service, ServiceExt};

use crate::layers::{headers, host, observe, problems, timeout, unread};
use crate::router::Routes;
use crate::{Api, router};

/// The whole service.
#[derive(Clone)]
pub struct Edge {
    api: Api,
    router: Router,
}

impl Edge {
    pub fn new(routes: Routes, api: Api) -> Self {
        let router = router::router(routes, api.clone());
        Self { api, router }
    }

    /// Answers one request; never fails, never panics.
    pub async fn answer(&self, mut request: Request) -> Response {
        let observed = observe::begin(&mut request);
        let is_head = request.method() == http::Method::HEAD;
        let version = request.version();
        let unread = unread::lend(&mut request);
        let response = match host::check(&self.api, &request) {
            Ok(()) => self.route(request).await,
            Err(problem) => problem.into_response(),
        };
        let mut response = problems::render(response, observed.id(), is_head);
        headers::secure(&self.api, response.headers_mut());
        if let Some(unread) = unread {
            unread.settle(&mut response).await;
        }
        self.api.settings.draining.release(version, &mut response);
        observed.end(&mut response);
        response
    }

    async fn route(&self, request: Request) -> Response {
        let answered = AssertUnwindSafe(self.router.clone().oneshot(request)).catch_unwind();
        match timeout::bound(self.api.settings.answer_within, answered).await {
            Ok(Ok(response)) => response.unwrap_or_else(|never| match never {}),
            Ok(Err(panic)) => problems::panicked(&*panic).into_response(),
            Err(problem) => problem.into_response(),
        }
    }
}

/// Where the matched route is left for the log line, which is written outside the router.
#[derive(Clone, Default)]
pub struct RouteSlot(Arc<OnceLock<MatchedPath>>);

impl RouteSlot {
    pub fn get(&self) -> Option<&str> {
        self.0.get().map(MatchedPath::as_str)
    }
}

/// Fills the slot, from inside the router.
#[derive(Clone)]
pub struct NoteRoute;

#[derive(Clone)]
pub struct NotingRoute<S>(S);

impl<S> Layer<S> for NoteRoute {
    type Service = NotingRoute<S>;

    fn layer(&self, inner: S) -> NotingRoute<S> {
        NotingRoute(inner)
    }
}

impl<S: Service<Request>> Service<Request> for NotingRoute<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        let extensions = request.extensions();
        if let (Some(slot), Some(path)) = (extensions.get::<RouteSlot>(), extensions.get::<MatchedPath>()) {
            // A route is matched once; a second value would be the same.
            let _ = slot.0.set(path.clone());
        }
        self.0.call(request)
    }
}
