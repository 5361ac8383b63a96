//! A client's end of a WebSocket.

use futures::{SinkExt, StreamExt};
use http::{HeaderValue, Request, header};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::{self, Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::clients::Call;
use crate::events::SOON;

/// An open WebSocket.
pub struct Socket(WebSocketStream<TcpStream>);

impl Call {
    /// Asks for a WebSocket with this call's path and headers; the error is the status of a refusal.
    ///
    /// # Panics
    /// When the server cannot be reached.
    pub async fn open(self) -> Result<Socket, u16> {
        let (base_url, path, headers) = self.into_parts();
        let host = base_url.strip_prefix("http://").expect("plain HTTP").to_owned();
        let mut request = Request::get(format!("ws://{host}{path}")).body(()).expect("a request");
        *request.headers_mut() = headers;
        let own = [
            (header::HOST, host.clone()),
            (header::CONNECTION, String::from("Upgrade")),
            (header::UPGRADE, String::from("websocket")),
            (header::SEC_WEBSOCKET_VERSION, String::from("13")),
            (header::SEC_WEBSOCKET_KEY, generate_key()),
        ];
        for (name, value) in own {
            request.headers_mut().insert(name, HeaderValue::try_from(value).expect("a header's value"));
        }
        let stream = TcpStream::connect(&host).await.expect("the server listens");
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("no WebSocket: {error}"),
        }
    }

    /// Opens it and begins without anything but what the call carries.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn socket(self) -> Socket {
        let mut socket = self.open().await.expect("a WebSocket");
        socket.say(&json!({"t": "init"})).await;
        socket
    }
}

impl Socket {
    pub async fn say(&mut self, frame: &Value) {
        self.text(frame.to_string()).await;
    }

    /// Any text.
    pub async fn text(&mut self, text: impl Into<String>) {
        // A server that has hung up is noticed by what is read next.
        let _ = self.0.send(Message::text(text.into())).await;
    }

    pub async fn binary(&mut self, bytes: Vec<u8>) {
        let _ = self.0.send(Message::Binary(Bytes::from(bytes))).await;
    }

    pub async fn ping(&mut self) {
        let _ = self.0.send(Message::Ping(Bytes::from_static(b"?"))).await;
    }

    pub async fn pong(&mut self) {
        let _ = self.0.send(Message::Pong(Bytes::new())).await;
    }

    /// A text in two fragments, with a ping between them.
    pub async fn say_in_fragments(&mut self, frame: &Value) {
        let mut text = Bytes::from(frame.to_string());
        let begin = text.split_to(text.len() / 2);
        let begin = Frame::message(begin, OpCode::Data(Data::Text), false);
        let _ = self.0.send(Message::Frame(begin)).await;
        self.ping().await;
        let end = Frame::message(text, OpCode::Data(Data::Continue), true);
        let _ = self.0.send(Message::Frame(end)).await;
    }

    /// Closes from this end.
    pub async fn close(&mut self) {
        let close = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = self.0.send(Message::Close(Some(close))).await;
    }

    /// The next frame's data, which must have this name. Signs of life are passed over.
    ///
    /// # Panics
    /// When it has another name, or the socket is closed.
    pub async fn expect(&mut self, name: &str) -> Value {
        let frame = self.frame().await.unwrap_or_else(|code| panic!("closed with {code:?} before {name}"));
        assert_eq!(frame["t"], name, "{frame}");
        frame["d"].clone()
    }

    /// The next frame; the error is the code with which the server closed, if it told one.
    ///
    /// # Panics
    /// When nothing comes.
    pub async fn frame(&mut self) -> Result<Value, Option<u16>> {
        loop {
            let message = tokio::time::timeout(SOON, self.0.next()).await.expect("something comes soon");
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                    if frame["t"] != "hb" {
                        return Ok(frame);
                    }
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The code with which the server closes, after nothing else.
    ///
    /// # Panics
    /// When a frame comes before, or no code.
    pub async fn closed(&mut self) -> u16 {
        match self.frame().await {
            Ok(frame) => panic!("not closed but told {frame}"),
            Err(code) => code.expect("a server says why it closes"),
        }
    }
}
