//! Recorded real answers, where they are at hand: the environment names their folder.

use domain::forecast::Pack;
use upstream::weather::{FetchError, WeatherProvider};

use crate::{NOW, adapter, three};

/// The smallest server there is: it answers every request with one body.
mod one_body {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    pub async fn serve(body: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _ = socket.read(&mut head).await;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        format!("http://{address}")
    }
}

#[tokio::test]
async fn recorded_answers_in_iso_time_are_refused_without_a_panic() {
    let Some(folder) = std::env::var_os("FAIRWEATHER_FIXTURES") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(std::path::Path::new(&folder).join("open-meteo")).expect("the folder") {
        let body = std::fs::read_to_string(entry.expect("an entry").path()).expect("a recording");
        let adapter = adapter(&one_body::serve(body).await);
        // They were recorded for other places, other variables and with ISO times: none is what we ask for.
        match adapter.fetch(&three(), Pack::Core, NOW).await {
            Err(FetchError::Malformed(_)) => {}
            Ok(answers) => {
                assert!(answers.iter().all(|answer| matches!(answer, Err(FetchError::Malformed(_)))))
            }
            other => panic!("{other:?}"),
        }
        seen += 1;
    }
    assert!(seen > 0);
}
