//! A headless Chromium, driven by chromedriver over its HTTP interface (W3C WebDriver).

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// A browser with one page; it ends when this goes out of scope.
pub struct Driver {
    process: Child,
    port: u16,
    session: String,
}

/// How long a browser may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps the browser to itself: no network of its own, no greeting, no graphics card.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

impl Driver {
    /// Starts a browser whose profile is a new, empty folder.
    pub fn start(chromium: &Path, chromedriver: &Path, profile: &Path) -> Result<Self> {
        if profile.exists() {
            fs::remove_dir_all(profile)?;
        }
        fs::create_dir_all(profile)?;
        let mut command = Command::new(chromedriver);
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().context("cannot start chromedriver")?;
        let port = process.stdout.take().and_then(port);
        let mut driver = Self { process, port: port.unwrap_or(0), session: String::new() };
        if port.is_none() {
            bail!("chromedriver does not say on which port it listens");
        }
        let mut flags: Vec<String> = FLAGS.map(str::to_string).into();
        flags.push(format!("--user-data-dir={}", profile.display()));
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": chromium, "args": flags },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let answer = driver.ask("POST", "/session", &capabilities)?;
        driver.session = format!("/session/{}", answer["sessionId"].as_str().context("no session")?);
        Ok(driver)
    }

    /// Opens a file.
    pub fn open(&self, page: &Path) -> Result<()> {
        self.command("/url", &json!({ "url": format!("file://{}", page.display()) })).map(drop)
    }

    /// What a script returns.
    pub fn script(&self, script: &str) -> Result<Value> {
        self.command("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// A window so wide, of a person who likes light or dark pages.
    pub fn resize(&self, width: u32, dark: bool) -> Result<()> {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &size)?;
        let scheme = if dark { "dark" } else { "light" };
        let features =
            json!({ "media": "", "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features).map(drop)
    }

    /// A sheet of paper with so much room between its margins.
    pub fn print(&self, width: u32) -> Result<()> {
        self.resize(width, false)?;
        self.devtools("Emulation.setEmulatedMedia", &json!({ "media": "print" })).map(drop)
    }

    /// A command of Chromium's own protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        self.command("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// The lines of a log since it was last read: `browser`, the console, or `performance`.
    pub fn log(&self, name: &str) -> Result<Vec<Value>> {
        let lines = self.command("/se/log", &json!({ "type": name }))?;
        Ok(lines.as_array().cloned().unwrap_or_default())
    }

    /// Presses a key.
    pub fn press(&self, key: &str) -> Result<()> {
        let press = |what: &str| json!({ "type": what, "value": key });
        let actions = json!({ "actions": [
            { "type": "key", "id": "keyboard", "actions": [press("keyDown"), press("keyUp")] }
        ] });
        self.command("/actions", &actions).map(drop)
    }

    /// What assistive technology is told of an element: its role and its name.
    pub fn accessible(&self, selector: &str) -> Result<(Value, Value)> {
        let element = self.command("/element", &json!({ "using": "css selector", "value": selector }))?;
        let id = element.as_object().and_then(|element| element.values().next()).and_then(Value::as_str);
        let at = |what| format!("{}/element/{}/{what}", self.session, id.unwrap_or_default());
        Ok((
            self.ask("GET", &at("computedrole"), &Value::Null)?,
            self.ask("GET", &at("computedlabel"), &Value::Null)?,
        ))
    }

    fn command(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let content = content(BufReader::new(stream)).with_context(|| format!("{path}: no answer"))?;
        let value = serde_json::from_slice::<Value>(&content)?["value"].take();
        match value["error"].as_str() {
            Some(error) => bail!("{path}: {error}: {}", value["message"].as_str().unwrap_or_default()),
            None => Ok(value),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The browser goes with its session. Nothing can be done about one that does not.
        let _ = self.ask("DELETE", &self.session, &Value::Null);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What an answer holds. Its length is in its head, and the connection may stay open.
fn content(mut answer: impl BufRead) -> Result<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some((_, bytes)) = line.split_once("content-length:") {
            length = bytes.trim().parse()?;
        }
    }
    let mut content = vec![0; length];
    answer.read_exact(&mut content)?;
    Ok(content)
}

/// The port in "ChromeDriver was started successfully on port 12345."
fn port(output: impl Read) -> Option<u16> {
    let lines = BufReader::new(output).lines().map_while(std::io::Result::ok);
    let mut ports = lines
        .filter_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
    ports.next()
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_answer_ends_where_its_length_says() {
        let answer = &b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{ab}more"[..];
        assert_eq!(super::content(answer).unwrap(), b"{ab}");
        assert!(super::content(&answer[..40]).is_err());
    }

    #[test]
    fn the_port_is_found_among_other_lines() {
        let output =
            &b"Starting ChromeDriver 1.2 on port 0\nChromeDriver was started successfully on port 34567.\n"[..];
        assert_eq!(super::port(output), Some(34567));
        assert_eq!(super::port(&b"no luck\n"[..]), None);
    }
}
