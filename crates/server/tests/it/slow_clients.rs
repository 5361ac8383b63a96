//! Clients that take for ever: each is let go of after its bound, and others are served meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use server::{Bounds, Mode};
use testkit::events::SOON;
use testkit::{Client, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

testkit::stamp! {
    both: [
        heads_a_byte_at_a_time_are_cut_off,
        bodies_a_byte_at_a_time_are_answered_and_cut_off,
        connections_that_ask_for_nothing_are_closed,
        half_a_request_of_http2_is_cut_off,
        answers_that_nobody_reads_are_cut_off,
        a_network_has_so_many_connections,
    ]
}

/// As many as a slow attacker opens here at once.
const MANY: usize = 40;
/// Between two bytes of a client that only means to stay.
const DRIBBLE: Duration = Duration::from_millis(20);
/// What a story allows where the server's own bound is meant to strike.
const SHORT: Duration = Duration::from_millis(300);

const HEAD: &str = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n";
/// The beginning of a connection of HTTP/2: the preface, and settings that are those of everybody.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.address()).await.unwrap()
}

/// What the server said until it hung up.
async fn until_closed(stream: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut said = Vec::new();
    // A connection that is reset has ended as well.
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut said)).await.expect("the server hangs up");
    said
}

/// Says `begun`, and then a byte now and then, for as long as the server listens: what it said to that.
async fn dribble(app: &TestApp, begun: &str) -> String {
    let (mut read, mut write) = connect(app).await.into_split();
    write.write_all(begun.as_bytes()).await.unwrap();
    let dribbling = tokio::spawn(async move {
        while write.write_all(b"a").await.is_ok() {
            tokio::time::sleep(DRIBBLE).await;
        }
    });
    let said = until_closed(&mut read).await;
    dribbling.abort();
    String::from_utf8(said).unwrap()
}

/// Somebody who came before the server had so little patience. Each of their requests has a connection of its own, since
/// one that is kept may be closed for its silence while the next is on its way.
async fn somebody(app: &mut TestApp, bounds: impl FnOnce(&mut Bounds)) -> Client {
    let ann = app.anonymous().await.with_header("connection", "close");
    app.restart_within(bounds).await;
    ann.moved_to(app)
}

/// Others ask, as they do on any day.
async fn others_are_served(ann: &Client) {
    for _ in 0..10 {
        ann.get("/v1/favourites").await.expect(200);
    }
}

async fn heads_a_byte_at_a_time_are_cut_off(mut app: TestApp) {
    let ann = somebody(&mut app, |bounds| bounds.head = SHORT).await;
    let heads = ["GET /", "GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: "];
    let slow = join_all(heads.iter().cycle().take(MANY).map(|head| dribble(&app, head)));
    let (said, ()) = tokio::join!(slow, others_are_served(&ann));
    assert!(said.iter().all(String::is_empty), "{said:?}");
}

async fn bodies_a_byte_at_a_time_are_answered_and_cut_off(mut app: TestApp) {
    let ann = somebody(&mut app, |bounds| bounds.answer = 8 * SHORT).await;
    let head = "POST /v1/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let bodies = [
        format!("{head}content-length: 60000\r\n\r\n{{\"email\":\""),
        // One chunk that does not end, since what is dribbled are no sizes of chunks.
        format!("{head}transfer-encoding: chunked\r\n\r\nea60\r\n{{\"email\":\""),
    ];
    let slow = join_all(bodies.iter().cycle().take(MANY).map(|body| dribble(&app, body)));
    let (said, ()) = tokio::join!(slow, others_are_served(&ann));
    for said in said {
        assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
        assert!(
            said.contains("\r\nconnection: close\r\n") && said.contains("\"code\":\"timeout\""),
            "{said}"
        );
    }
}

async fn connections_that_ask_for_nothing_are_closed(mut app: TestApp) {
    let ann = somebody(&mut app, |bounds| bounds.head = SHORT).await;
    // From the beginning, in the middle of telling what they speak, or after an answer.
    let begun = ["", "PRI", "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"];
    let idle = join_all(begun.iter().cycle().take(MANY).map(async |begun| {
        let mut stream = connect(&app).await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        until_closed(&mut stream).await
    }));
    let (said, ()) = tokio::join!(idle, others_are_served(&ann));
    for (said, begun) in said.iter().zip(begun.iter().cycle()) {
        assert_eq!(said.starts_with(b"HTTP/1.1 200 "), begun.starts_with("GET"), "{begun}");
    }
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// The head of `GET path`, as HPACK writes it without a table.
fn head(path: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [&[0x82, 0x86, 0x04][..], &text(path), &[0x01], &text("localhost")].concat()
}

const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

async fn half_a_request_of_http2_is_cut_off(mut app: TestApp) {
    let ann = somebody(&mut app, |bounds| bounds.client = SHORT).await;
    let mut events = ann.get("/v1/stream").follow().await;
    events.hello().await;

    let no_window = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let attacks = [
        ("a preface without end", PREFACE[..20].to_vec()),
        ("nothing after the preface", PREFACE.to_vec()),
        (
            "a head without its last frame",
            [PREFACE, &frame(HEADERS, END_STREAM, 1, &head("/healthz"))].concat(),
        ),
        (
            "an answer without room for it",
            [PREFACE, &no_window, &frame(HEADERS, END_STREAM | END_HEADERS, 1, &head("/openapi.json"))]
                .concat(),
        ),
        (
            "nothing after an answer",
            [PREFACE, &frame(HEADERS, END_STREAM | END_HEADERS, 1, &head("/healthz"))].concat(),
        ),
    ];
    let slow = join_all(attacks.iter().cycle().take(MANY).map(async |(_, bytes)| {
        let mut stream = connect(&app).await;
        stream.write_all(bytes).await.unwrap();
        until_closed(&mut stream).await
    }));
    let (said, ()) = tokio::join!(slow, others_are_served(&ann));
    for (said, (what, _)) in said.iter().zip(attacks.iter().cycle()) {
        let is_answered = frames(said).contains(&HEADERS);
        assert_eq!(is_answered, what.contains("answer"), "{what}: {said:?}");
    }
    // A stream where nothing happens waits for the server, not for its client.
    ann.save("Cabin", 60.1, 9.2).await;
    events.expect("changes").await;
}

/// The kinds of the frames that were said.
fn frames(mut said: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = said {
        kinds.push(*kind);
        let length = u32::from_be_bytes([0, *a, *b, *c]);
        said = rest.get(length as usize..).unwrap_or_default();
    }
    kinds
}

async fn answers_that_nobody_reads_are_cut_off(mut app: TestApp) {
    let ann = somebody(&mut app, |bounds| bounds.client = SHORT).await;
    let request = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    let deaf = join_all((0..MANY).map(async |_| {
        let mut stream = connect(&app).await;
        // It asks for more and more, until the server no longer takes it, and then has hung up.
        while stream.write_all(request.as_bytes()).await.is_ok() {}
    }));
    let deaf = tokio::time::timeout(SOON, deaf);
    let (cut_off, ()) = tokio::join!(deaf, others_are_served(&ann));
    assert!(cut_off.is_ok(), "a client that reads nothing is still connected");
}

/// A connection from another address of this machine.
async fn from(address: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
    socket.connect(to).await.unwrap()
}

async fn is_served(stream: &mut TcpStream) -> bool {
    let asked = stream.write_all(format!("{HEAD}\r\n").as_bytes()).await;
    let mut answer = [0; 4096];
    asked.is_ok() && stream.read(&mut answer).await.is_ok_and(|_| answer.starts_with(b"HTTP/1.1 200 "))
}

async fn a_network_has_so_many_connections(mut app: TestApp) {
    app.restart_in(Mode::Serve, |config| config.limits.connections_per_network = 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(connect(&app).await);
        assert!(is_served(held.last_mut().unwrap()).await);
    }
    assert!(!is_served(&mut connect(&app).await).await, "one more is closed unheard");
    assert!(is_served(&mut from("127.0.0.2", app.address()).await).await, "another network is served");
    assert!(is_served(&mut held[0]).await, "and those that are there as well");

    // A proxy stands for many people.
    app.restart_with(|config| config.trusted_proxies = vec![String::from("127.0.0.1")]).await;
    let mut many = Vec::new();
    for _ in 0..MANY {
        many.push(connect(&app).await);
        assert!(is_served(many.last_mut().unwrap()).await);
    }
}
