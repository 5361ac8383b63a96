//! Mail on its way: conversations with a real SMTP server, good ones and others.

use std::time::Duration;

use serde_json::{Value, json};
use server::Mode;
use testkit::TestApp;
use testkit::clients::PASSWORD;
use testkit::events::SOON;
use testkit::smtp::{Encryption, SmtpServer};

testkit::stamp! {
    both: [
        a_message_is_sent_once_and_then_gone,
        what_is_put_off_is_tried_again_and_what_is_refused_is_not,
        conversations_that_break_are_begun_again,
        a_server_that_is_away_is_waited_for,
        of_several_nodes_one_sends,
        encrypted_conversations,
        nothing_is_said_without_encryption_that_needs_it,
        without_a_server_nobody_signs_up,
    ]
}

/// Serves in earnest, with this SMTP server.
async fn serve(app: &mut TestApp, url: String, smtp: &SmtpServer) {
    let authority = smtp.authority.clone();
    app.restart_in(Mode::Serve, |config| {
        config.public_url = Some(String::from("https://weather.example.org"));
        config.mail.url = Some(url);
        config.mail.from = Some(String::from("Fairweather <weather@example.org>"));
        config.mail.authority = authority;
        config.limits.mail_per_address = 100;
    })
    .await;
}

async fn served(app: &mut TestApp, account: Option<&str>) -> Option<SmtpServer> {
    let smtp = SmtpServer::start(app.scratch(), Encryption::None, account).await?;
    serve(app, format!("smtp://127.0.0.1:{}", smtp.port), &smtp).await;
    Some(smtp)
}

async fn register(app: &TestApp, email: &str) {
    let body = json!({"email": email, "password": PASSWORD});
    app.visitor().post("/v1/auth/register", body).await.expect(202);
}

async fn waiting(app: &TestApp) -> i64 {
    app.database().number("SELECT count(*) FROM mail").await
}

/// Returns when so many mails wait: a server has taken a message a moment before it is removed here.
async fn until_waiting(app: &TestApp, count: i64) {
    let reached = async {
        while waiting(app).await != count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(15), reached).await.is_ok(),
        "{} wait",
        waiting(app).await
    );
}

fn text<'a>(told: &'a Value, name: &str) -> &'a str {
    told[name].as_str().unwrap_or_else(|| panic!("{told} has no {name}"))
}

async fn a_message_is_sent_once_and_then_gone(mut app: TestApp) {
    let Some(mut smtp) = served(&mut app, None).await else { return };
    let german = app.visitor().with_header("accept-language", "de");
    let body = json!({"email": "jürgen@example.org", "password": PASSWORD});
    german.post("/v1/auth/register", body).await.expect(202);
    register(&app, "ann@example.org").await;
    app.send_mail().await;
    let (one, two) = (smtp.told("mail").await, smtp.told("mail").await);
    let to_ann = if one["to"] == json!(["ann@example.org"]) { &one } else { &two };
    assert_eq!((text(to_ann, "from"), &to_ann["to"]), ("weather@example.org", &json!(["ann@example.org"])));
    assert_eq!(text(to_ann, "hello"), "weather.example.org");
    let mail = text(to_ann, "mail");
    for part in [
        "From: Fairweather <weather@example.org>\r\n",
        "To: ann@example.org\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "https://weather.example.org/confirm#code=",
    ] {
        assert!(mail.contains(part), "{part}: {mail}");
    }
    until_waiting(&app, 0).await;
    app.send_mail().await;
    assert_eq!(smtp.rest(), [] as [Value; 0]);
}

async fn what_is_put_off_is_tried_again_and_what_is_refused_is_not(mut app: TestApp) {
    let Some(mut smtp) = served(&mut app, None).await else { return };
    register(&app, "never@example.org").await;
    register(&app, "later-2@example.org").await;
    app.send_mail().await;
    smtp.told("permanent").await;
    smtp.told("temporary").await;
    until_waiting(&app, 1).await;

    // A minute, then two.
    for (tries, pause, kind) in [(1, 60, "temporary"), (2, 120, "mail")] {
        // It is put off a moment after it was told so, by the clock that is moved on here.
        app.database().until("SELECT max(attempts) FROM mail", |attempts| attempts == tries).await;
        app.advance(Duration::from_secs(pause) - Duration::from_millis(1));
        app.send_mail().await;
        assert_eq!(smtp.rest(), [] as [Value; 0], "too early");
        app.advance(Duration::from_millis(1));
        app.send_mail().await;
        smtp.told(kind).await;
    }
    until_waiting(&app, 0).await;

    // What is never taken is given up after a day, and nobody hears of it again.
    register(&app, "later-99@example.org").await;
    app.send_mail().await;
    for _ in 0..30 {
        app.advance(Duration::from_hours(1));
        app.send_mail().await;
    }
    until_waiting(&app, 0).await;
    assert!(smtp.rest().iter().all(|told| told.get("mail").is_none()));
}

async fn conversations_that_break_are_begun_again(mut app: TestApp) {
    let Some(mut smtp) = served(&mut app, None).await else { return };
    app.restart_with(|config| config.mail.timeout_s = 2).await;
    for kind in ["hang", "close"] {
        register(&app, &format!("{kind}@example.org")).await;
        app.send_mail().await;
        smtp.told(kind).await;
        // Longer than the claim of whoever may still be at it.
        app.advance(Duration::from_mins(6));
        let mail = async {
            loop {
                app.send_mail().await;
                if waiting(&app).await == 0 {
                    return;
                }
                app.advance(Duration::from_mins(6));
            }
        };
        assert!(tokio::time::timeout(SOON, mail).await.is_ok());
        smtp.told("mail").await;
    }
}

async fn a_server_that_is_away_is_waited_for(mut app: TestApp) {
    let Some(smtp) = served(&mut app, None).await else { return };
    drop(smtp);
    for number in 0..3 {
        register(&app, &format!("ann{number}@example.org")).await;
    }
    app.send_mail().await;
    assert_eq!(waiting(&app).await, 3);
    assert_eq!(app.database().number("SELECT max(attempts) FROM mail").await, 1);

    let Some(mut smtp) = SmtpServer::start(app.scratch(), Encryption::None, None).await else { return };
    serve(&mut app, format!("smtp://127.0.0.1:{}", smtp.port), &smtp).await;
    app.advance(Duration::from_mins(6));
    app.send_mail().await;
    for _ in 0..3 {
        smtp.told("mail").await;
    }
    until_waiting(&app, 0).await;
}

async fn of_several_nodes_one_sends(mut app: TestApp) {
    let Some(mut smtp) = served(&mut app, None).await else { return };
    for number in 0..10 {
        register(&app, &format!("ann{number}@example.org")).await;
    }
    // On one database the nodes are told apart by nothing but their claims.
    let (one, two, three) = (app.app().clone(), app.app().clone(), app.app().clone());
    let sent = tokio::join!(one.send_mail(), two.send_mail(), three.send_mail());
    assert!(sent.0.is_ok() && sent.1.is_ok() && sent.2.is_ok());
    let mut to = Vec::new();
    for _ in 0..10 {
        to.push(smtp.told("mail").await["to"].to_string());
    }
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 10);
    until_waiting(&app, 0).await;
    assert_eq!(smtp.rest(), [] as [Value; 0]);
}

async fn encrypted_conversations(mut app: TestApp) {
    for (encryption, scheme, query) in
        [(Encryption::StartTls, "smtp", "?tls=required"), (Encryption::Tls, "smtps", "")]
    {
        let smtp = SmtpServer::start(app.scratch(), encryption, Some("fair:p@ss word")).await;
        let Some(mut smtp) = smtp else { return };
        let url = format!("{scheme}://fair:p%40ss%20word@localhost:{}{query}", smtp.port);
        serve(&mut app, url, &smtp).await;
        register(&app, "ann@example.org").await;
        app.send_mail().await;
        let mail = smtp.told("mail").await;
        assert_eq!((&mail["secure"], text(&mail, "user")), (&json!(true), "fair"));
        until_waiting(&app, 0).await;
    }
}

async fn nothing_is_said_without_encryption_that_needs_it(mut app: TestApp) {
    // The server offers no encryption, another one has a certificate that nobody vouches for, a third knows us not.
    let Some(mut plain) = SmtpServer::start(app.scratch(), Encryption::None, None).await else { return };
    serve(&mut app, format!("smtp://fair:secret@localhost:{}?tls=required", plain.port), &plain).await;
    register(&app, "ann@example.org").await;
    app.send_mail().await;
    assert_eq!(waiting(&app).await, 1);
    assert_eq!(plain.rest(), [] as [Value; 0]);

    let Some(mut strange) = SmtpServer::start(app.scratch(), Encryption::Tls, None).await else { return };
    strange.authority = None;
    serve(&mut app, format!("smtps://localhost:{}", strange.port), &strange).await;
    app.advance(Duration::from_mins(6));
    app.send_mail().await;
    assert_eq!(waiting(&app).await, 1);
    assert!(strange.rest().iter().all(|told| told.get("mail").is_none()));

    let Some(mut stern) = SmtpServer::start(app.scratch(), Encryption::Tls, Some("fair:right")).await else {
        return;
    };
    serve(&mut app, format!("smtps://fair:wrong@localhost:{}", stern.port), &stern).await;
    app.advance(Duration::from_mins(6));
    app.send_mail().await;
    stern.told("auth").await;
    assert_eq!(waiting(&app).await, 1, "a wrong password of ours is no fault of the message");
}

async fn without_a_server_nobody_signs_up(mut app: TestApp) {
    app.user("ann@example.org").await;
    app.restart_in(Mode::Serve, |_| {}).await;
    let body = json!({"email": "zoe@example.org", "password": PASSWORD});
    app.visitor().post("/v1/auth/register", body).await.problem(503, "mail_unavailable");
    let body = json!({"email": "ann@example.org"});
    app.visitor().post("/v1/auth/password/forgot", body).await.problem(503, "mail_unavailable");
    app.visitor().sign_in("ann@example.org").await.expect(200);
}
