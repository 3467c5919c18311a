//! What runs in the sessions of these tests: a shell of a few words.

use std::sync::Arc;

use deployer_core::shell::Session;
use deployer_core::terminal::{AuxiliaryRequest, Keyboard, Terminal};

use crate::session::Program;

pub(super) fn program() -> Program {
    Arc::new(|session| Box::pin(run(session)))
}

async fn run(session: Session) -> i32 {
    let cancel = session.cancel.clone();
    tokio::select! {
        status = shell(&session) => status,
        () = cancel.cancelled() => match session.action.as_deref() {
            // Does not listen.
            Some([word]) if word == "stubborn" => std::future::pending().await,
            _ => 130,
        },
    }
}

async fn shell(session: &Session) -> i32 {
    let terminal = &session.terminal;
    let mut keyboard = terminal.keyboard();
    session.status.at("root");
    if let Some(words) = &session.action {
        return command(session, &words.join(" "), &mut keyboard).await.unwrap_or(0);
    }
    loop {
        terminal.print("> ").await.unwrap();
        let Some(line) = line(terminal, &mut keyboard).await else { return 0 };
        if let Some(status) = command(session, &line, &mut keyboard).await {
            return status;
        }
    }
}

async fn line(terminal: &Arc<dyn Terminal>, keyboard: &mut Keyboard) -> Option<String> {
    let mut line = Vec::new();
    loop {
        let bytes = keyboard.read().await?;
        for (i, byte) in bytes.iter().enumerate() {
            if *byte == b'\r' {
                keyboard.unread(bytes.slice(i + 1..));
                terminal.print("\n").await.unwrap();
                return Some(String::from_utf8(line).unwrap());
            }
            line.push(*byte);
            terminal.write(&[*byte]).await.unwrap();
        }
    }
}

async fn command(session: &Session, line: &str, keyboard: &mut Keyboard) -> Option<i32> {
    let terminal = &session.terminal;
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "exit" => return Some(rest.parse().unwrap_or(0)),
        "print" => terminal.write(rest.replace("\\e", "\x1b").replace("\\r", "\r\n").as_bytes()).await.unwrap(),
        "size" => {
            let size = *terminal.size().borrow();
            terminal.print(&format!("{}x{}\n", size.rows, size.cols)).await.unwrap();
        }
        "resized" => {
            let mut size = terminal.size();
            size.changed().await.unwrap();
            let size = *size.borrow();
            terminal.print(&format!("now {}x{}\n", size.rows, size.cols)).await.unwrap();
        }
        "lines" => {
            for number in 0..rest.parse().unwrap() {
                terminal.print(&format!("{number} \x1b[3{}mcoloured\x1b[m line\n", number % 8)).await.unwrap();
            }
        }
        "flood" => {
            session.status.running(&["root.flood".to_string()]);
            loop {
                terminal.print(&format!("{}\n", "flood ".repeat(200))).await.unwrap();
            }
        }
        "wait" => {
            session.status.running(&["root.wait".to_string()]);
            let key = keyboard.read().await;
            session.status.running(&[]);
            terminal.print(&format!("got {key:?}\n")).await.unwrap();
        }
        "deaf" | "stubborn" => std::future::pending().await,
        "cat" => {
            while let Some(bytes) = keyboard.read().await {
                terminal.write(&bytes).await.unwrap();
            }
            terminal.write_talk(b"the end\n").await.unwrap();
        }
        "parallel" => {
            parallel(terminal, rest.parse().unwrap()).await;
            terminal.print("all done\n").await.unwrap();
        }
        "ask" => {
            terminal.write_prompt(Some(b"\rweb1: password:")).await.unwrap();
            terminal.print("web2 | done\n").await.unwrap();
            match rest {
                "answered" => terminal.write_prompt(None).await.unwrap(),
                _ => terminal.abandon_prompt(),
            }
            terminal.print("after it\n").await.unwrap();
        }
        "colour" => {
            let cell = cell(terminal, 0).await;
            terminal.print(&format!("colours: {}, {}\n", terminal.colour(), cell.colour())).await.unwrap();
        }
        "open-line" => {
            let cell = cell(terminal, 1).await;
            cell.write(b"fetching").await.unwrap();
            cell.fresh_line().await.unwrap();
            cell.print("a line of the log\n").await.unwrap();
            cell.fresh_line().await.unwrap();
            cell.finish().await.unwrap();
        }
        "panic" => panic!("asked to"),
        "" => {}
        _ => terminal.print_talk(&format!("unknown: {word}\n")).await.unwrap(),
    }
    None
}

async fn cell(terminal: &Arc<dyn Terminal>, index: usize) -> Arc<dyn Terminal> {
    let request = AuxiliaryRequest { label: format!("web{index}"), label_width: 6, index, run: None };
    terminal.auxiliary(request).await.unwrap()
}

/// As an action on an array: a task and an auxiliary terminal for each, all at once.
async fn parallel(terminal: &Arc<dyn Terminal>, cells: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..cells {
        let cell = cell(terminal, index).await;
        tasks.spawn(async move {
            for number in 0..10 {
                cell.write(format!("cell {index} ").as_bytes()).await.unwrap();
                cell.write(format!("line {number}\r\n").as_bytes()).await.unwrap();
            }
            cell.write(b"no end of line").await.unwrap();
            cell.finish().await.unwrap();
            cell
        });
    }
    // As long as the results are held, so are the terminals.
    let _held = tasks.join_all().await;
}
