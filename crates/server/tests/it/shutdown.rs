//! The end of the real binary: SIGTERM takes nothing from those who are being answered.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::Clock;
use testkit::Process;
use testkit::clients::Client;
use testkit::provider::{FakeProvider, Fault};

use crate::binary::{run, said};

/// `fairweather dev` with a data folder and a provider of its own; killed when dropped.
struct Binary {
    child: Child,
    base_url: String,
    data: tempfile::TempDir,
}

impl Binary {
    fn start(provider: &FakeProvider) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_fairweather"))
            .args(["dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .env("FAIRWEATHER_WEATHER__OPEN_METEO__BASE_URL", provider.base_url())
            .env_remove("DATABASE_URL")
            .env_remove("PORT")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.map_while(Result::ok).find(|line| line.contains("listening on")).unwrap();
        let base_url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { child, base_url, data }
    }

    fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit code, once it has ended.
    fn ended(&mut self) -> Option<i32> {
        tokio::task::block_in_place(|| self.child.wait().unwrap().code())
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // Already gone in every good case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_lets_a_request_at_work_finish() {
    let provider = FakeProvider::start(Clock::system().now()).await;
    let mut binary = Binary::start(&provider);
    let mut ann = Client::at(&binary.base_url);
    ann.start_anonymously().await;
    // It begins with real weather: it was asked before the provider is slow.
    ann.get("/v1/places/2643743/forecast").await.expect(200);
    provider.set_fault(Fault::Slow(Duration::from_secs(2)));
    let calls = provider.calls();
    let call = ann.get("/v1/places/2267057/forecast");
    let slow = tokio::spawn(async move { call.await });
    while provider.calls() == calls {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    binary.terminate();
    // It stops listening at once: a balancer sends people elsewhere.
    let address = binary.base_url.trim_start_matches("http://").to_owned();
    while TcpStream::connect(&address).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it still takes connections");
        tokio::task::yield_now().await;
    }
    assert!(!slow.is_finished());
    let answer = slow.await.unwrap().expect(200);
    assert_eq!(answer.json["source"], "open-meteo");
    assert_eq!(binary.ended(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_with_nobody_at_work_ends_at_once() {
    let provider = FakeProvider::start(Clock::system().now()).await;
    let mut binary = Binary::start(&provider);
    let mut ann = Client::at(&binary.base_url);
    ann.start_anonymously().await;
    // A connection that is kept open and idle holds nothing up.
    let begun = Instant::now();
    binary.terminate();
    assert_eq!(binary.ended(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    // Its database is one file that may be copied as it is, with all that was written.
    let file = binary.data.path().join("fairweather.db");
    for beside in ["db-wal", "db-shm"] {
        assert!(!file.with_extension(beside).exists(), "{beside} was left behind");
    }
    let copy = binary.data.path().join("copy.db");
    std::fs::copy(file, &copy).unwrap();
    let copied = testkit::databases::Database::Sqlite(copy);
    assert_eq!(copied.number("SELECT count(*) FROM account").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_end_is_cut_and_the_database_closed() {
    let provider = FakeProvider::start(Clock::system().now()).await;
    let mut binary = Binary::start(&provider);
    Client::at(&binary.base_url).start_anonymously().await;
    let mut half = TcpStream::connect(binary.base_url.trim_start_matches("http://")).unwrap();
    let head = "POST /v1/auth/anonymous HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    half.write_all(format!("{head}content-length: 100\r\n\r\n{{").as_bytes()).unwrap();
    // Whoever is answered now came later.
    Client::at(&binary.base_url).get("/healthz").await.expect(200);
    binary.terminate();
    assert_eq!(binary.ended(), Some(0));
    assert!(!binary.data.path().join("fairweather.db-wal").exists(), "the database was not closed");
}

/// `serve` on SQLite, which drains only when it is told to.
fn serving(drain_s: &str) -> Option<Process> {
    if !api::has_web_app() {
        eprintln!("skipped: this build carries no web app, and `serve` refuses to start without");
        return None;
    }
    let mut process = Process::new(env!("CARGO_BIN_EXE_fairweather"), &[], &["--drain-s", drain_s], &[]);
    process.start();
    Some(process)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_drains_is_red_and_serves_everybody() {
    let Some(mut process) = serving("600") else { return };
    let mut ann = process.visitor();
    ann.start_anonymously().await;
    let ready = ann.get("/readyz").await.expect(200);
    assert_eq!(ready.header("connection"), "");
    let mut stream = ann.get("/v1/stream").follow().await;
    stream.hello().await;
    process.terminate();
    let red = loop {
        let answer = process.visitor().get("/readyz").await;
        if answer.status != 200 {
            break answer.problem(503, "draining");
        }
        tokio::task::yield_now().await;
    };
    // Proxies that keep connections are asked to take new ones, which they find closed afterwards.
    assert_eq!(red.header("connection"), "close");
    ann.save("Oslo", 59.9, 10.7).await;
    assert_eq!(stream.expect("changes").await.data["changes"][0]["item"]["name"], "Oslo");
    let mut new = process.visitor().get("/v1/stream").header("authorization", &bearer(&ann)).follow().await;
    new.hello().await;
    // Nobody has to wait for the end of it: a second signal cuts everything.
    process.terminate();
    assert!(tokio::task::block_in_place(|| process.ended()).success());
    stream.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_has_drained_stops_in_order() {
    let Some(mut process) = serving("1") else { return };
    let mut ann = process.visitor();
    ann.start_anonymously().await;
    let mut stream = ann.get("/v1/stream").follow().await;
    stream.hello().await;
    stream.retry = None;
    process.terminate();
    // It is told to come back elsewhere only when the time is over.
    stream.ended().await;
    assert!(stream.retry.is_some(), "it was cut and told nothing");
    assert!(tokio::task::block_in_place(|| process.ended()).success());
    let log = process.log();
    let at = |text| log.find(text).unwrap_or_else(|| panic!("{text}: {log}"));
    assert!(at("draining") < at("stopping"), "{log}");
}

#[test]
fn a_program_asks_whether_the_server_is_ready() {
    let Some(mut process) = serving("600") else { return };
    let folder = tempfile::tempdir().unwrap();
    let listen = process.address().to_string();
    let asked = || said(&run(folder.path(), &["ready", "--listen", &listen]));
    assert_eq!(asked(), (String::from("ready\n"), String::new(), 0));
    process.terminate();
    // The signal is on its way.
    let red = std::iter::repeat_with(asked).find(|(_, _, code)| *code != 0).unwrap();
    assert_eq!((&*red.0, red.2), ("", 1));
    assert!(red.1.contains("answers 503"), "{}", red.1);
    process.kill();
    let (_, err, code) = asked();
    assert!(code == 1 && err.contains("does not answer"), "{err}");
}

fn bearer(client: &Client) -> String {
    format!("Bearer {}", client.access_token())
}
