//! Layers on their way: bars on a terminal, a line for each change elsewhere.

use super::output::Output;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{collections::HashMap, io, io::IsTerminal};
use trust::engine::Progress;

/// What the engine says about the layers of one image.
pub(crate) struct Layers<'o> {
    out: &'o Output,
    bars: Option<MultiProgress>,
    layers: HashMap<String, (ProgressBar, String)>,
}

impl<'o> Layers<'o> {
    /// Bars where people look, lines where programs do, nothing when quiet.
    pub(crate) fn new(out: &'o Output) -> Self {
        let bars = (io::stderr().is_terminal() && !out.is_quiet()).then(MultiProgress::new);
        let layers = HashMap::new();
        Self { out, bars, layers }
    }

    /// Shows one line of the engine's.
    pub(crate) fn show(&mut self, line: Progress) {
        if self.out.is_quiet() {
            return;
        }
        match line.layer {
            None => self.remark(&line.status),
            Some(ref layer) => {
                let known = self.layers.get(layer).map(|(_, status)| status);
                let changed = known != Some(&line.status);
                let text = format!("{layer}: {}", line.status);
                let bars = self.bars.as_ref();
                let entry = self.layers.entry(layer.clone()).or_insert_with(|| {
                    let bar = bars.map_or_else(ProgressBar::hidden, |bars| bars.add(bar()));
                    (bar, String::new())
                });
                entry.1.clone_from(&line.status);
                if bars.is_some() {
                    draw(&entry.0, &text, &line);
                } else if changed {
                    self.out.note(&text);
                }
            }
        }
    }

    /// Leaves nothing half drawn behind.
    pub(crate) fn end(&self) {
        self.layers.values().for_each(|(bar, _)| bar.abandon());
    }

    fn remark(&self, status: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| self.out.note(status)),
            None => self.out.note(status),
        }
    }
}

fn bar() -> ProgressBar {
    ProgressBar::no_length()
}

fn draw(bar: &ProgressBar, text: &str, line: &Progress) {
    let template = match line.total {
        Some(_) => "{msg:.dim} [{bar:30}] {bytes}/{total_bytes}",
        None => "{msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    if let Some(total) = line.total {
        bar.set_length(total);
    }
    bar.set_position(line.current.unwrap_or_default());
    bar.set_message(text.to_owned());
    bar.tick();
}
