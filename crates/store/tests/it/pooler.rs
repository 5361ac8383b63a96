//! A pooler as PgBouncer is one in transaction mode: a client is lent one of two connections for as long as its
//! transaction lasts, and never gets the same twice in a row. It takes no settings at the start.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const SSL_REQUEST: u32 = 80_877_103;

struct Pool {
    free: Mutex<VecDeque<TcpStream>>,
    count: Semaphore,
    spoilt: Spoilt,
}

/// How the next simple query that is to be another one begins, and that other one.
type Spoilt = Arc<Mutex<Option<(&'static str, &'static str)>>>;

/// One that runs.
pub struct Pooler {
    pub url: String,
    spoilt: Spoilt,
}

impl Pooler {
    /// The next query that begins with `what` becomes this one.
    pub fn spoil(&self, what: &'static str, with: &'static str) {
        *self.spoilt.lock().unwrap() = Some((what, with));
    }

    /// Whether that has happened.
    pub fn has_spoilt(&self) -> bool {
        self.spoilt.lock().unwrap().is_none()
    }
}

/// Starts one before the database of a URL like `postgres://user@host:port/database`.
pub async fn start(url: &str) -> Pooler {
    let (user, rest) = url.strip_prefix("postgres://").unwrap().split_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let mut free = VecDeque::new();
    for _ in 0..2 {
        free.push_back(log_in(server, user, database).await);
    }
    let spoilt = Spoilt::default();
    let pool = Arc::new(Pool { free: Mutex::new(free), count: Semaphore::new(2), spoilt: spoilt.clone() });
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let pool = pool.clone();
            client.set_nodelay(true).unwrap();
            tokio::spawn(async move { serve(client, &pool).await });
        }
    });
    Pooler { url: format!("postgres://{user}@{address}/{database}"), spoilt }
}

async fn log_in(server: &str, user: &str, database: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut body = 196_608u32.to_be_bytes().to_vec();
    for word in ["user", user, "database", database, ""] {
        body.extend_from_slice(word.as_bytes());
        body.push(0);
    }
    stream.write_all(&[&(body.len() as u32 + 4).to_be_bytes()[..], &body].concat()).await.unwrap();
    while message(&mut stream).await.unwrap()[0] != b'Z' {}
    stream
}

/// Reads one message, its type and length included.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes(head[1..].try_into().ok()?) as usize;
    let mut message = vec![0; length + 1];
    message[..5].copy_from_slice(&head);
    stream.read_exact(&mut message[5..]).await.ok()?;
    Some(message)
}

fn answer(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32 + 4).to_be_bytes()[..], body].concat()
}

async fn serve(mut client: TcpStream, pool: &Pool) -> Option<()> {
    loop {
        let mut head = [0; 8];
        client.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes(head[..4].try_into().ok()?) as usize;
        if u32::from_be_bytes(head[4..].try_into().ok()?) == SSL_REQUEST {
            client.write_all(b"N").await.ok()?;
            continue;
        }
        let mut rest = vec![0; length - 8];
        client.read_exact(&mut rest).await.ok()?;
        if rest.split(|byte| *byte == 0).any(|word| word == b"options") {
            let refusal = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
            client.write_all(&answer(b'E', refusal)).await.ok()?;
            return None;
        }
        break;
    }
    let greeting = [
        answer(b'R', &[0; 4]),
        answer(b'S', b"client_encoding\0UTF8\0"),
        answer(b'S', b"server_version\x0017.0\0"),
        answer(b'K', &[0; 8]),
        answer(b'Z', b"I"),
    ];
    client.write_all(&greeting.concat()).await.ok()?;
    loop {
        let mut asked = message(&mut client).await?;
        // The end of the client, which is none of the server's.
        if asked[0] == b'X' {
            return None;
        }
        let _place = pool.count.acquire().await.ok()?;
        let mut server = pool.free.lock().unwrap().pop_front()?;
        let open = transaction(&mut client, &mut server, &mut asked, &pool.spoilt).await;
        if open.is_none() {
            // The client left in the middle: what it began must not meet the next.
            server.write_all(&answer(b'Q', b"ROLLBACK\0")).await.ok()?;
            while message(&mut server).await?[0] != b'Z' {}
        }
        pool.free.lock().unwrap().push_back(server);
        open?;
    }
}

/// Passes messages on until the server is in no transaction any more.
async fn transaction(
    client: &mut TcpStream,
    server: &mut TcpStream,
    asked: &mut Vec<u8>,
    spoilt: &Mutex<Option<(&'static str, &'static str)>>,
) -> Option<()> {
    loop {
        let spoil =
            |(what, _): &mut (&str, &str)| asked[0] == b'Q' && asked[5..].starts_with(what.as_bytes());
        if let Some((_, with)) = spoilt.lock().unwrap().take_if(spoil) {
            *asked = answer(b'Q', &[with.as_bytes(), b"\0"].concat());
        }
        server.write_all(asked).await.ok()?;
        if matches!(asked[0], b'Q' | b'S') {
            loop {
                let said = message(server).await?;
                client.write_all(&said).await.ok()?;
                if said[0] == b'Z' {
                    if said[5] == b'I' {
                        return Some(());
                    }
                    break;
                }
            }
        }
        *asked = message(client).await?;
    }
}
