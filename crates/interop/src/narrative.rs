//! Plain text out of a FHIR narrative. The XHTML of a stranger is never shown as markup: tags go, words stay, up to a limit.

/// Longest plain text taken from a narrative, in characters.
pub(crate) const MAX_NARRATIVE_CHARS: usize = 2_000;

/// How much markup is looked at for it, in bytes: generated narratives carry about ten bytes of tags per character.
const MAX_MARKUP_BYTES: usize = 64 * 1024;

/// The words of a narrative, blanks collapsed, blocks parted by line breaks.
pub(crate) fn plain_text(markup: &str) -> String {
    let end = (0..=MAX_MARKUP_BYTES.min(markup.len())).rev().find(|at| markup.is_char_boundary(*at));
    let mut rest = markup.get(..end.unwrap_or(0)).unwrap_or_default();
    let mut out = Written::default();
    while let Some(at) = rest.find(['<', '&']) {
        out.push(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at..).unwrap_or_default();
        rest = if tail.starts_with('<') { skip_tag(tail, &mut out) } else { entity(tail, &mut out) };
        if out.chars >= MAX_NARRATIVE_CHARS {
            break;
        }
    }
    if out.chars < MAX_NARRATIVE_CHARS {
        out.push(rest);
    }
    out.text.truncate(out.text.trim_end().len());
    out.text
}

#[derive(Default)]
struct Written {
    text: String,
    chars: usize,
    gap: Option<char>,
}

impl Written {
    fn push(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() {
                self.gap = self.gap.or(Some(' '));
            } else if self.chars < MAX_NARRATIVE_CHARS && !c.is_control() {
                if let Some(gap) = self.gap.take()
                    && !self.text.is_empty()
                {
                    self.text.push(gap);
                }
                self.text.push(c);
                self.chars += 1;
            }
        }
    }
}

/// Skips one tag, and with it all of a comment, script or style.
fn skip_tag<'a>(tail: &'a str, out: &mut Written) -> &'a str {
    if let Some(comment) = tail.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let Some((tag, rest)) = tail.split_once('>') else { return "" };
    let name: String =
        tag.trim_start_matches(['<', '/']).chars().take_while(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    let closing = tag.starts_with("</");
    match name.as_str() {
        "script" | "style" if !closing && !tag.ends_with('/') => {
            let end = rest.to_ascii_lowercase().find(&format!("</{name}"));
            return end.and_then(|at| rest.get(at..)).unwrap_or_default();
        }
        "p" | "div" | "br" | "li" | "tr" | "h1" | "h2" | "h3" | "h4" | "h5" | "table" | "ul" | "ol" => {
            out.gap = Some('\n');
        }
        "td" | "th" => out.gap = out.gap.or(Some(' ')),
        _ => {}
    }
    rest
}

fn entity<'a>(tail: &'a str, out: &mut Written) -> &'a str {
    let known =
        [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&nbsp;", " ")];
    for (name, text) in known {
        if let Some(rest) = tail.strip_prefix(name) {
            out.push(text);
            return rest;
        }
    }
    if let Some((number, rest)) = tail.strip_prefix("&#").and_then(|tail| tail.split_once(';')) {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => number.parse().ok(),
        };
        if let Some(c) = code.and_then(char::from_u32) {
            out.push(c.encode_utf8(&mut [0; 4]));
            return rest;
        }
    }
    out.push("&");
    tail.get(1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_words_stay() {
        let markup = "<div xmlns=\"x\"><p>Blood &lt; 5 &amp; <b>fine</b></p><script>alert(1)</script><table><tr><td>a</td><td>b</td></tr></table></div>";
        assert_eq!(plain_text(markup), "Blood < 5 & fine\na b", "no tag and no script is left");
        assert_eq!(plain_text("a <b unclosed"), "a", "an open tag swallows the rest");
        assert_eq!(
            plain_text("<!-- c --> &#65;&#x42; & x"),
            "AB & x",
            "numbered characters and a bare ampersand"
        );
    }

    #[test]
    fn a_long_narrative_is_cut() {
        let long = "é <i>".repeat(60_000);
        assert!(plain_text(&long).chars().count() <= 2 * MAX_NARRATIVE_CHARS, "bounded in characters");
    }
}
