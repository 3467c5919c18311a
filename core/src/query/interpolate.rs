//! `Q("%s of %(name)s") % values` (row G-09).

use super::evaluate::unfolded;
use super::operators::{TEXT_MAX, find, too_long};
use crate::env::ActionError;
use crate::value::Value;

/// Widest field and most digits a format may ask for.
const WIDTH_MAX: usize = 1000;

/// Puts values into a text. One map serves formats with names, one list or several values those without.
pub(crate) fn interpolate(text: &Value, values: Vec<Value>) -> Result<Value, ActionError> {
    let Some(format) = text.as_bytes() else {
        return Err(ActionError::usage(format!("% needs text on its left side, not {}", text.type_name())));
    };
    let mut source = Source::new(values);
    let mut out: Vec<u8> = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        out.extend(&rest[..at]);
        let (field, length) = Field::parse(&rest[at..])?;
        rest = &rest[at + length..];
        field.write(&mut source, &mut out)?;
        if out.len() > TEXT_MAX {
            return Err(too_long("text"));
        }
    }
    out.extend(rest);
    source.finish()?;
    Ok(Value::text(out))
}

/// Where values come from.
enum Source {
    InOrder(std::vec::IntoIter<Value>),
    /// One map: by name. Without names in the format it is one value; `used` tells.
    Named {
        map: Value,
        used: bool,
    },
}

impl Source {
    fn new(mut values: Vec<Value>) -> Source {
        match values.pop().map(unfolded) {
            Some(Value::List(items)) if values.is_empty() => Source::InOrder(items.into_iter()),
            Some(map @ Value::Map(_)) if values.is_empty() => Source::Named { map, used: false },
            last => {
                values.extend(last);
                Source::InOrder(values.into_iter())
            }
        }
    }

    fn take(&mut self, name: Option<&str>) -> Result<Value, ActionError> {
        let missing = || ActionError::usage("% has fewer values than the text has places");
        match (self, name) {
            (Source::InOrder(values), None) => values.next().ok_or_else(missing),
            (Source::InOrder(_), Some(name)) => {
                Err(ActionError::usage(format!("%({name}) needs a map on the right side of %")))
            }
            (Source::Named { map, used }, None) if !*used => {
                *used = true;
                Ok(map.clone())
            }
            (Source::Named { .. }, None) => Err(missing()),
            (Source::Named { map, used }, Some(name)) => {
                *used = true;
                let Value::Map(pairs) = map else { return Err(missing()) };
                find(pairs, &Value::from(name)).ok_or_else(|| ActionError::usage(format!("no value for %({name})")))
            }
        }
    }

    fn finish(self) -> Result<(), ActionError> {
        match self {
            Source::InOrder(values) if values.len() > 0 => {
                Err(ActionError::usage("% has more values than the text has places"))
            }
            _ => Ok(()),
        }
    }
}

/// One place in a text: `%[(name)][flags][width][.precision]letter`.
struct Field {
    name: Option<String>,
    left: bool,
    zeros: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
    letter: u8,
}

impl Field {
    /// The field at the start of these bytes, and how long it is.
    fn parse(bytes: &[u8]) -> Result<(Field, usize), ActionError> {
        let incomplete = || ActionError::usage("incomplete format at the end of the text: write %% for a percent sign");
        let mut at = 1;
        let mut name = None;
        if bytes.get(at) == Some(&b'(') {
            let end = bytes.iter().position(|byte| *byte == b')').ok_or_else(incomplete)?;
            name = Some(String::from_utf8_lossy(&bytes[2..end]).into_owned());
            at = end + 1;
        }
        let flags = bytes[at..].iter().take_while(|byte| b"-0+ ".contains(byte)).count();
        let has = |flag: u8| bytes[at..at + flags].contains(&flag);
        let (left, zeros, plus) = (has(b'-'), has(b'0'), has(b'+'));
        at += flags;
        let width = digits(bytes, &mut at)?.unwrap_or(0);
        let mut precision = None;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            precision = Some(digits(bytes, &mut at)?.unwrap_or(0));
        }
        let letter = *bytes.get(at).ok_or_else(incomplete)?;
        Ok((Field { name, left, zeros, plus, width, precision, letter }, at + 1))
    }

    fn write(&self, source: &mut Source, out: &mut Vec<u8>) -> Result<(), ActionError> {
        if self.letter == b'%' {
            out.push(b'%');
            return Ok(());
        }
        let value = source.take(self.name.as_deref())?;
        let wrong = || ActionError::usage(format!("%{} cannot show {}", char::from(self.letter), value.type_name()));
        let text = match (self.letter, &value) {
            (b's', value) => self.shown(value),
            (b'r', value) => format!("{value:?}").into_bytes(),
            (b'd' | b'i', Value::Int(number)) => self.signed(*number >= 0, number.to_string()),
            (b'd' | b'i', Value::Float(number)) => self.signed(*number >= 0.0, format!("{:.0}", number.trunc())),
            (b'x', Value::Int(number)) => format!("{number:x}").into_bytes(),
            (b'X', Value::Int(number)) => format!("{number:X}").into_bytes(),
            (b'o', Value::Int(number)) => format!("{number:o}").into_bytes(),
            (b'f', Value::Int(number)) => self.decimal(*number as f64),
            (b'f', Value::Float(number)) => self.decimal(*number),
            (b'd' | b'i' | b'x' | b'X' | b'o' | b'f', _) => return Err(wrong()),
            (letter, _) => {
                let letter = char::from(letter);
                return Err(ActionError::usage(format!("unknown format %{letter}: write %% for a percent sign")));
            }
        };
        self.pad(text, out);
        Ok(())
    }

    fn shown(&self, value: &Value) -> Vec<u8> {
        let text = value.as_bytes().map_or_else(|| value.to_string().into_bytes(), <[u8]>::to_vec);
        match self.precision {
            Some(length) => text.into_iter().take(length).collect(),
            None => text,
        }
    }

    fn decimal(&self, number: f64) -> Vec<u8> {
        self.signed(number >= 0.0, format!("{number:.*}", self.precision.unwrap_or(6)))
    }

    fn signed(&self, positive: bool, digits: String) -> Vec<u8> {
        let sign = if self.plus && positive { "+" } else { "" };
        format!("{sign}{digits}").into_bytes()
    }

    fn pad(&self, text: Vec<u8>, out: &mut Vec<u8>) {
        let missing = self.width.saturating_sub(text.len());
        let number = !matches!(self.letter, b's' | b'r');
        if self.left {
            out.extend(text);
            out.extend(std::iter::repeat_n(b' ', missing));
        } else if self.zeros && number {
            let sign = text.iter().take_while(|byte| b"+-".contains(byte)).count();
            out.extend(&text[..sign]);
            out.extend(std::iter::repeat_n(b'0', missing));
            out.extend(&text[sign..]);
        } else {
            out.extend(std::iter::repeat_n(b' ', missing));
            out.extend(text);
        }
    }
}

fn digits(bytes: &[u8], at: &mut usize) -> Result<Option<usize>, ActionError> {
    let count = bytes[*at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = String::from_utf8_lossy(&bytes[*at..*at + count]).into_owned();
    *at += count;
    if count == 0 {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number| *number <= WIDTH_MAX);
    number.map(Some).ok_or_else(|| ActionError::usage(format!("a format asks for {text} places, {WIDTH_MAX} at most")))
}
