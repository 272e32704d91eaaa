//! Chromium without a window, driven over its debugging pipe.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use base64::Engine as _;
use serde_json::{Value, json};

use super::program;

/// A browser with one tab.
pub(crate) struct Chromium {
    child: Child,
    orders: File,
    answers: Receiver<Value>,
    session: Option<String>,
    last: u64,
    /// What it told without being asked since the last visit
    events: Vec<Value>,
    _folder: tempfile::TempDir,
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// CSS pixels
    pub(crate) width: u32,
    pub(crate) dark: bool,
}

impl Chromium {
    /// A fresh browser that knows nothing.
    pub(crate) fn start() -> Self {
        let program = program::find("chromium");
        let folder = tempfile::tempdir().expect("a folder");
        let (orders, answers) = (folder.path().join("orders"), folder.path().join("answers"));
        let made = Command::new("mkfifo").args([&orders, &answers]).status();
        assert!(made.is_ok_and(|status| status.success()), "two pipes");
        let child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<"$ORDERS" 4>"$ANSWERS""#])
            .arg(program)
            .args(FLAGS)
            .arg(format!(
                "--user-data-dir={}",
                folder.path().join("profile").display()
            ))
            .env("HOME", folder.path())
            .env("ORDERS", &orders)
            .env("ANSWERS", &answers)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a browser");
        let orders = OpenOptions::new()
            .write(true)
            .open(orders)
            .expect("the way there");
        let mut browser = Self {
            child,
            orders,
            answers: listen(&answers),
            session: None,
            last: 0,
            events: Vec::new(),
            _folder: folder,
        };
        browser.open_tab();
        browser
    }

    fn open_tab(&mut self) {
        let tab = self.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": tab["targetId"], "flatten": true});
        let session = self.call("Target.attachToTarget", &attach)["sessionId"].clone();
        self.session = Some(session.as_str().expect("a session").to_owned());
        for domain in ["Page", "Log", "Runtime", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
    }

    /// Loads a page and waits for all of it.
    pub(crate) fn visit(&mut self, address: &str, view: View) {
        let metrics = json!({
            "width": view.width, "height": 800, "deviceScaleFactor": 1, "mobile": false
        });
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if view.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &media);
        self.events.clear();
        self.call("Page.navigate", &json!({"url": address}));
        self.wait_for("Page.loadEventFired");
    }

    /// What an expression is on the page.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(answer.get("exceptionDetails").is_none(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Complaints and failed requests since the page was asked for.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // An answer to anything comes after what was told before it.
        self.evaluate("1");
        let told = |event: &Value| {
            let method = event["method"].as_str().unwrap_or_default();
            [
                "Log.entryAdded",
                "Runtime.consoleAPICalled",
                "Runtime.exceptionThrown",
                "Network.loadingFailed",
            ]
            .contains(&method)
        };
        self.events
            .iter()
            .filter(|e| told(e))
            .map(Value::to_string)
            .collect()
    }

    /// Presses the tabulator once.
    pub(crate) fn tab(&mut self) {
        for kind in ["rawKeyDown", "keyUp"] {
            let key =
                json!({"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9});
            self.call("Input.dispatchKeyEvent", &key);
        }
    }

    /// Clicks in the middle of the first element that this selects.
    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.evaluate(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); \
             e.scrollIntoView({{block: 'center', behavior: 'instant'}}); \
             const r = e.getBoundingClientRect(); \
             return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let click = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1
            });
            self.call("Input.dispatchMouseEvent", &click);
        }
    }

    /// A PNG of the whole page.
    pub(crate) fn picture(&mut self, path: &Path) {
        let height = self.evaluate("Math.min(document.documentElement.scrollHeight, 6000)");
        let width = self.evaluate("innerWidth");
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let wanted = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let picture = self.call("Page.captureScreenshot", &wanted);
        let png = base64::engine::general_purpose::STANDARD
            .decode(picture["data"].as_str().expect("a picture"))
            .expect("base64");
        std::fs::write(path, png).expect("a place for pictures");
    }

    /// The tree that screen readers see: role and name of each node.
    pub(crate) fn heard(&mut self) -> Vec<(String, String)> {
        let tree = self.call("Accessibility.getFullAXTree", &json!({}));
        let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
        let nodes = tree["nodes"].as_array().cloned().unwrap_or_default();
        nodes
            .iter()
            .filter(|node| node["ignored"] != json!(true))
            .map(|node| (text(&node["role"]), text(&node["name"])))
            .collect()
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let mut order = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        self.orders
            .write_all(format!("{order}\0").as_bytes())
            .expect("a browser that listens");
        loop {
            let told = self.next();
            if told["id"] == json!(self.last) {
                assert!(told.get("error").is_none(), "{method}: {told}");
                return told["result"].clone();
            }
            self.events.push(told);
        }
    }

    fn wait_for(&mut self, method: &str) {
        let come = |events: &[Value]| events.iter().any(|event| event["method"] == method);
        while !come(&self.events) {
            let told = self.next();
            self.events.push(told);
        }
    }

    fn next(&self) -> Value {
        self.answers
            .recv_timeout(PATIENCE)
            .expect("a browser that answers")
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every message, each of which ends with a zero byte.
fn listen(pipe: &Path) -> Receiver<Value> {
    let mut pipe = BufReader::new(File::open(pipe).expect("the way back"));
    let (told, answers) = channel();
    thread::spawn(move || {
        let mut message = Vec::new();
        while pipe.read_until(0, &mut message).is_ok_and(|read| read > 0) {
            message.pop();
            let value = serde_json::from_slice(&message).expect("JSON of the browser");
            if told.send(value).is_err() {
                return;
            }
            message.clear();
        }
    });
    answers
}

const PATIENCE: Duration = Duration::from_secs(30);

/// Nothing of its own on the network, no sandbox where tests run as root.
const FLAGS: [&str; 9] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
];
