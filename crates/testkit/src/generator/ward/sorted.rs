//! JSON whose bytes do not hang on how this build's maps are ordered.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// JSON with sorted keys: the bytes must not hang on how this build's maps are ordered.
pub(super) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            out.push('{');
            for (at, (key, value)) in sorted.into_iter().enumerate() {
                let _ = write!(out, "{}{}:", if at == 0 { "" } else { "," }, Value::from(key.as_str()));
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (at, value) in list.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(value, out);
            }
            out.push(']');
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}
