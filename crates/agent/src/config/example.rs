//! The commented configuration with every option, made of the declared keys.

use std::fmt::Write as _;

use super::keys::{SECTIONS, Section};

const HEAD: &str = "\
Configuration of `forebear-agent run`. Every option is here; a value that is commented out is the
default, or an example where there is none. Sizes: B, KiB, MiB, GiB. Times: ms, s, m, h.

Check it:   forebear-agent run --config /etc/forebear/agent.toml --check
Reload it:  systemctl reload forebear-agent    (or SIGHUP)
";

/// The text of `etc/agent.toml`.
pub fn text() -> String {
    let mut text = String::new();
    comment(HEAD, &mut text);
    for section in SECTIONS {
        text.push('\n');
        append(section, &mut text);
    }
    text
}

fn append(section: &Section, text: &mut String) {
    if !section.is_top() {
        comment(section.doc, text);
        let mark = if section.is_example() { "#" } else { "" };
        let _ = writeln!(text, "{mark}{}\n", section.title());
    }
    for (index, key) in section.keys.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        comment(key.doc, text);
        let _ = writeln!(text, "#{} = {}", key.name, key.value());
    }
}

fn comment(words: &str, text: &mut String) {
    for line in words.lines() {
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
}
