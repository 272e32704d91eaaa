//! Layers on their way: bars on a terminal, a line for each change elsewhere.

use super::output::{Output, harmless};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{
    collections::HashMap,
    io::{self, IsTerminal},
};
use trust::engine::Progress;

/// What the engine says about one image.
pub(crate) struct Layers<'o> {
    out: &'o Output,
    screen: Option<MultiProgress>,
    shown: HashMap<String, Layer>,
}

struct Layer {
    bar: ProgressBar,
    status: String,
}

impl<'o> Layers<'o> {
    /// Bars where people look, lines where programs do, nothing when quiet.
    pub(crate) fn new(out: &'o Output) -> Self {
        let people = io::stderr().is_terminal() && !out.is_quiet();
        Self {
            out,
            screen: people.then(MultiProgress::new),
            shown: HashMap::new(),
        }
    }

    /// Shows one line of the engine's.
    pub(crate) fn show(&mut self, line: &Progress) {
        match (&line.layer, &self.screen) {
            (None, None) => self.out.note(&line.status),
            (None, Some(screen)) => screen.suspend(|| self.out.note(&line.status)),
            (Some(layer), _) => self.show_layer(layer, line),
        }
    }

    /// Leaves nothing half drawn behind.
    pub(crate) fn end(&self) {
        for layer in self.shown.values() {
            layer.bar.abandon();
        }
    }

    fn show_layer(&mut self, layer: &str, line: &Progress) {
        let text = harmless(&format!("{layer}: {}", line.status)).into_owned();
        let screen = self.screen.as_ref();
        let shown = self.shown.entry(layer.to_owned()).or_insert_with(|| {
            let bar = ProgressBar::no_length();
            Layer {
                bar: screen.map_or_else(ProgressBar::hidden, |screen| screen.add(bar)),
                status: String::new(),
            }
        });
        if screen.is_some() {
            draw(&shown.bar, text, line);
        } else if shown.status != line.status {
            self.out.note(&text);
        }
        shown.status.clone_from(&line.status);
    }
}

fn draw(bar: &ProgressBar, text: String, line: &Progress) {
    let template = match line.total {
        Some(_) => "{msg} [{bar:30}] {bytes}/{total_bytes}",
        None => "{msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    if let Some(total) = line.total {
        bar.set_length(total);
    }
    bar.set_position(line.current.unwrap_or_default());
    bar.set_message(text);
    bar.tick();
}
