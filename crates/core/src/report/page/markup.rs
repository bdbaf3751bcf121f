//! Text as HTML and SVG may hold it.

use serde_json::Value;

/// Text between tags or in an attribute. Control characters, which HTML forbids, become spaces.
pub(in crate::report) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push('\n'),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON in a script element, which ends at the first `</script`: there is no `<` in it.
pub(super) fn escape_json(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_name_becomes_a_tag() {
        let name = "</script><b onclick='a()'>\"R&D\"\u{1b}[2J\n";
        let expected = "&lt;/script&gt;&lt;b onclick=&#39;a()&#39;&gt;&quot;R&amp;D&quot; [2J\n";
        assert_eq!(escape(name), expected);
    }

    #[test]
    fn json_in_a_script_comes_back_as_it_went() {
        let value = json!({ "name": "</script><!--", "values": [1.5, null] });
        let escaped = escape_json(&value);
        assert!(!escaped.contains('<'), "{escaped}");
        assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value);
    }
}
