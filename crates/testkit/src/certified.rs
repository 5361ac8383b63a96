//! A certified OpenID provider in a process of its own: the npm package `oidc-provider`, as `tests/oidc` has it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use domain::Timestamp;
use reqwest::Url;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};

use crate::clients::http_client;
use crate::identity_provider::CLIENT;

/// Redirects from the first address to the way back.
const MOST_STEPS: usize = 8;

/// The process; it is killed when dropped.
pub struct CertifiedProvider {
    child: Child,
    issuer: String,
}

impl CertifiedProvider {
    /// Starts one that sends browsers back to `redirect_uri` and takes our secret as `token_auth` says.
    ///
    /// # Panics
    /// When its packages are not installed: a story that says nothing of a real provider must not pass.
    pub fn start(redirect_uri: &str, token_auth: &str, now: Timestamp) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oidc");
        assert!(
            folder.join("node_modules/oidc-provider").is_dir(),
            "the certified provider is not installed: run `npm ci` in tests/oidc, or scripts/test, which does it"
        );
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .current_dir(folder)
            .env("CLIENT_ID", CLIENT.0)
            .env("CLIENT_SECRET", CLIENT.1)
            .env("REDIRECT_URI", redirect_uri)
            .env("TOKEN_AUTH", token_auth)
            .env("NOW", now.seconds().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs: it is needed for the certified provider");
        let mut issuer = String::new();
        let output = child.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut issuer).expect("its output can be read");
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http://127.0.0.1:"), "the certified provider did not start");
        Self { child, issuer }
    }

    /// Its name of itself.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Goes with a browser of its own to this address, as this person (nobody when empty), and answers the path and
    /// query of the way back to us.
    ///
    /// # Panics
    /// When the provider sends the browser nowhere.
    pub async fn authorize(&self, url: &str, person: &str) -> String {
        let http = http_client();
        let mut url = Url::parse(url).expect("an address");
        let mut cookies: HashMap<String, String> = HashMap::new();
        for _ in 0..MOST_STEPS {
            let jar: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = http.get(url.clone()).header(COOKIE, jar.join("; "));
            let answer = request.header("x-test-person", person).send().await.expect("the provider answers");
            for line in answer.headers().get_all(SET_COOKIE) {
                let pair = line.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
                if let Some((name, value)) = pair.split_once('=') {
                    cookies.insert(name.to_owned(), value.to_owned());
                }
            }
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let location = location.map(|location| url.join(location).expect("an address"));
            url = match location {
                Some(location) => location,
                None => panic!("{}", answer.text().await.unwrap_or_default()),
            };
            if url.path().starts_with("/v1/auth/oauth/") {
                return format!("{}?{}", url.path(), url.query().unwrap_or_default());
            }
        }
        panic!("the provider sends the browser round in circles: {url}");
    }
}

impl Drop for CertifiedProvider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
