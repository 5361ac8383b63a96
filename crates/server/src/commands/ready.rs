//! `ready`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use domain::{Error, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::print;
use crate::config::Config;

/// How long the server may take to answer.
const WITHIN: Duration = Duration::from_secs(3);
/// Of the answer nothing behind its first line is looked at.
const MOST: u64 = 4096;

/// Asks the server of this configuration on this machine whether it is ready.
///
/// # Errors
/// When it is not, or does not answer in time.
pub async fn run(config: &Config) -> Result<()> {
    let address = reached_at(config.listen);
    let asked = tokio::time::timeout(WITHIN, status(address)).await;
    let status = asked
        .map_err(|_| {
            Error::internal(format!("{address} did not answer within {} seconds", WITHIN.as_secs()))
        })?
        .map_err(|error| Error::internal(format!("{address} does not answer: {error}")))?;
    if status == "200" {
        return print("ready\n");
    }
    Err(Error::internal(format!("{address} is not ready: it answers {status}")))
}

/// A server that listens on every address is reached on this machine's own.
fn reached_at(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The status of `/readyz`. One request of a fixed text needs no client library.
async fn status(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.map(String::from).ok_or_else(|| io::Error::other("it does not speak HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_reached_on_this_machine() {
        let reached = |listen: &str| reached_at(listen.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(reached("[::]:80"), "[::1]:80");
        assert_eq!(reached("10.0.0.5:80"), "10.0.0.5:80");
    }
}
