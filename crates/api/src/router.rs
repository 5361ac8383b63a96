//! The table of contents.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use tower::util::option_layer;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::edge::NoteRoute;
use crate::openapi::Document;
use crate::rest::{
    api_keys, auth, changes, email, factors, favourites, forecasts, identities, mailbox, me, oauth, operator,
    passkeys, password, places, sessions, streams, sync, system, webhooks,
};
use crate::{Api, authentication, web};

/// The largest body of an ordinary request.
const BODY: usize = 64 * 1024;

/// Who may call what. Grouped by how the caller is known.
struct Groups {
    /// Anybody; a credential is looked at where it matters.
    sign_in: OpenApiRouter<Api>,
    /// Only with a credential.
    private: OpenApiRouter<Api>,
    /// The same, never compressed: the answers carry secrets.
    secret: OpenApiRouter<Api>,
    /// Only with a credential, which may be a ticket; never compressed, since each event is to arrive at once.
    live: OpenApiRouter<Api>,
    /// Anybody.
    public: OpenApiRouter<Api>,
}

fn groups() -> Groups {
    Groups {
        sign_in: OpenApiRouter::new()
            .routes(routes!(auth::anonymous))
            .routes(routes!(auth::register))
            .routes(routes!(auth::confirm))
            .routes(routes!(auth::login))
            .routes(routes!(auth::second_step))
            .routes(routes!(passkeys::start_sign_in))
            .routes(routes!(passkeys::finish_sign_in))
            .routes(routes!(auth::forgot))
            .routes(routes!(auth::reset))
            .routes(routes!(auth::refresh))
            .routes(routes!(auth::logout))
            .routes(routes!(auth::revoke))
            .routes(routes!(oauth::providers))
            .routes(routes!(oauth::start))
            .routes(routes!(oauth::callback))
            .routes(routes!(oauth::token))
            .routes(routes!(oauth::deauthorize))
            .routes(routes!(oauth::deletion))
            .routes(routes!(oauth::deletion_state)),
        private: OpenApiRouter::new()
            .routes(routes!(me::read, me::delete))
            .routes(routes!(me::export))
            .routes(routes!(me::set_preferences))
            .routes(routes!(me::adopt))
            .routes(routes!(password::change))
            .routes(routes!(email::read, email::change, email::cancel))
            .routes(routes!(email::confirm))
            .routes(routes!(identities::list))
            .routes(routes!(identities::delete))
            .routes(routes!(favourites::list, favourites::create))
            .routes(routes!(forecasts::favourites))
            .routes(routes!(favourites::read, favourites::put, favourites::patch, favourites::delete))
            .routes(routes!(changes::list))
            .merge(OpenApiRouter::new().routes(routes!(sync::sync)).layer(DefaultBodyLimit::max(sync::BODY)))
            .routes(routes!(forecasts::favourite))
            .routes(routes!(forecasts::place))
            .routes(routes!(forecasts::points))
            .routes(routes!(streams::ticket))
            .routes(routes!(sessions::list, sessions::end_others))
            .routes(routes!(sessions::end))
            .routes(routes!(api_keys::own))
            .routes(routes!(operator::accounts))
            .routes(routes!(operator::end_sessions))
            .routes(routes!(operator::roles))
            .routes(routes!(operator::audit))
            .routes(routes!(api_keys::revoke))
            .routes(routes!(webhooks::read, webhooks::change, webhooks::remove))
            .routes(routes!(webhooks::deliveries))
            .routes(routes!(webhooks::replay)),
        secret: OpenApiRouter::new()
            .routes(routes!(auth::step_up))
            .routes(routes!(factors::list))
            .routes(routes!(factors::set_up_totp, factors::remove_totp))
            .routes(routes!(factors::confirm_totp))
            .routes(routes!(factors::new_recovery_codes))
            .routes(routes!(passkeys::list))
            .routes(routes!(passkeys::start))
            .routes(routes!(passkeys::finish))
            .routes(routes!(passkeys::rename, passkeys::remove))
            .routes(routes!(api_keys::list, api_keys::create))
            .routes(routes!(webhooks::list, webhooks::create))
            .routes(routes!(webhooks::rotate)),
        live: OpenApiRouter::new().routes(routes!(streams::stream)).routes(routes!(streams::socket)),
        public: OpenApiRouter::new()
            .routes(routes!(places::search))
            .routes(routes!(places::nearest))
            .routes(routes!(places::read))
            .routes(routes!(system::weather_codes))
            .routes(routes!(system::jwks))
            .routes(routes!(system::security_txt))
            .routes(routes!(system::healthz))
            .routes(routes!(system::readyz)),
    }
}

/// All documented routes, for the OpenAPI document.
pub(crate) fn documented() -> OpenApiRouter<Api> {
    let Groups { sign_in, private, secret, live, public } = groups();
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(sign_in)
        .merge(private)
        .merge(secret)
        .merge(live)
        .merge(public)
}

/// The routes of all groups, not yet bound to an [`Api`]. Collecting them takes milliseconds, because each brings its
/// part of the OpenAPI document: a start does it beside opening the database.
pub struct Routes {
    sign_in: Router<Api>,
    private: Router<Api>,
    secret: Router<Api>,
    live: Router<Api>,
    public: Router<Api>,
}

impl Routes {
    pub fn collect() -> Self {
        let Groups { sign_in, private, secret, live, public } = groups();
        Self {
            sign_in: sign_in.into(),
            private: private.into(),
            secret: secret.into(),
            live: live.into(),
            public: public.into(),
        }
    }
}

/// All routes, with what concerns a group of them.
pub(crate) fn router(Routes { sign_in, private, secret, live, public }: Routes, api: Api) -> Router {
    let sign_in = sign_in.route_layer(from_fn_with_state(api.clone(), authentication::allow));
    let secret = secret.route_layer(from_fn_with_state(api.clone(), authentication::require));
    let private = private
        .route_layer(from_fn_with_state(api.clone(), authentication::require))
        .layer(CompressionLayer::new());
    let public = public
        .route("/openapi.json", get(system::openapi))
        .route("/metrics", get(system::metrics))
        .layer(CompressionLayer::new());
    let mailbox = Router::new()
        .route("/dev/mailbox", get(mailbox::page))
        .route("/dev/mailbox.css", get(mailbox::style));
    let mut router = sign_in.merge(private).merge(secret).merge(live).merge(public);
    if api.app.settings().mailbox_token.is_some() {
        router = router.merge(mailbox);
    }
    let cors = api.settings.cors_origins.layer();
    router
        .fallback_service(any(web::file).layer(CompressionLayer::new()).with_state(()))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(option_layer(cors))
        .layer(NoteRoute)
        .with_state(api)
}
