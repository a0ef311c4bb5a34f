//! Schedules of CronJobs, read as `github.com/robfig/cron/v3` `ParseStandard` does, and held to nothing else: no
//! crate reads exactly that. (When a schedule comes true is another question: [`crate::derived`].)

use jiff::tz::TimeZoneDatabase;

use super::object::{Object, is_unset};
use crate::path::FieldPath;

/// A field of a schedule: what it is called, and the values that it takes.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of the month", least: 1, most: 31, names: &[] },
    Field { name: "month", least: 1, most: 12, names: &MONTHS },
    Field { name: "day of the week", least: 0, most: 6, names: &WEEKDAYS },
];

const WORDS: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Longest name, with what the controller adds to name a Job.
const LONGEST_NAME: usize = 52;

pub(super) fn cron_job(object: &mut Object<'_>) {
    if object.manifest.key.name.len() > LONGEST_NAME {
        let hint = "use at most 52 characters: the names of its Jobs are longer";
        object.say("valid/name", &FieldPath::of(["metadata", "name"]), "is too long for a CronJob", hint);
    }
    let schedule = &object.value["spec"]["schedule"];
    let Some(text) = schedule.as_str().filter(|_| !is_unset(schedule)) else { return };
    if let Err(wrong) = read(text) {
        let hint = "write minute, hour, day of the month, month and day of the week, such as `30 4 * * 1-5`, or @hourly and its like";
        object.say("valid/schedule", &FieldPath::of(["spec", "schedule"]), wrong, hint);
    }
}

/// The names of zones are those of the time zone database.
pub(super) fn time_zone(object: &mut Object<'_>) {
    let Some(zone) = object.value["spec"]["timeZone"].as_str() else { return };
    let is_known = !zone.is_empty() && (zone == "UTC" || TimeZoneDatabase::bundled().get(zone).is_ok());
    if !is_known || zone.eq_ignore_ascii_case("local") {
        let hint = "write it like Europe/Berlin, or Etc/UTC";
        object.say("valid/schedule", &FieldPath::of(["spec", "timeZone"]), "is no known time zone", hint);
    }
}

fn read(text: &str) -> Result<(), String> {
    let text = match text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) {
        Some(rest) => rest.split_once(' ').map(|(_, text)| text.trim()).ok_or("says a time zone and nothing else")?,
        None => text,
    };
    if let Some(length) = text.strip_prefix("@every ") {
        return if is_duration(length) { Ok(()) } else { Err("has a length of time that cannot be read".to_owned()) };
    }
    if text.starts_with('@') {
        return if WORDS.contains(&text) { Ok(()) } else { Err("is none of the words that there are".to_owned()) };
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("has {} fields, not five", fields.len()));
    }
    FIELDS.iter().zip(fields).try_for_each(|(field, text)| field.read(text))
}

impl Field {
    fn read(&self, text: &str) -> Result<(), String> {
        // Empty elements count as nothing.
        text.split(',').filter(|part| !part.is_empty()).try_for_each(|part| self.range(part))
    }

    fn range(&self, text: &str) -> Result<(), String> {
        let (range, step) = text.split_once('/').map_or((text, None), |(range, step)| (range, Some(step)));
        if step.is_some_and(|step| step.parse::<u32>().ok().is_none_or(|step| step == 0)) {
            return Err(format!("has a {} whose step is no number from 1 on", self.name));
        }
        let mut ends = range.split('-');
        let begin = ends.next().unwrap_or_default();
        if matches!(begin, "*" | "?") {
            return Ok(());
        }
        let begin = self.value(begin)?;
        let end = ends.next().map(|end| self.value(end)).transpose()?.unwrap_or(begin);
        if ends.next().is_some() || begin > end {
            return Err(format!("has a {} whose range does not go up", self.name));
        }
        Ok(())
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = named.and_then(|position| u32::try_from(position).ok()).map(|position| position + self.least);
        let value = named.or_else(|| text.parse().ok()).filter(|value| (self.least..=self.most).contains(value));
        value.ok_or_else(|| format!("has a {} that is not from {} to {}", self.name, self.least, self.most))
    }
}

/// A length of time as Go writes it: `1h30m`, `1.5h`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let mut any = false;
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let (digits, after) = rest.split_at(number);
        let Some(unit) = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"]
            .iter()
            .find(|unit| after.strip_prefix(**unit).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphabetic())))
        else {
            return false;
        };
        if digits.matches('.').count() > 1 || !digits.bytes().any(|b| b.is_ascii_digit()) {
            return false;
        }
        (rest, any) = (&after[unit.len()..], true);
    }
    any
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_robfig_reads_is_good() {
        for good in [
            "* * * * *",
            "*/5 0-23/2 1,15 jan-DEC sun",
            "5/15 * ? * ?",
            "0 0 1 1 0",
            "  1   2 3 4 5 ",
            "1,,2 * * * *",
            "@hourly",
            "@yearly",
            "@every 1h30m",
            "@every 1.5h",
            "@every 10ms",
            "TZ=Europe/Berlin 0 4 * * *",
            "59 23 31 12 6",
            "*-5 * * * *",
            "+5 * * * *",
        ] {
            assert_eq!(read(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_it_does_not_read_is_told() {
        for (bad, part) in [
            ("* * * *", "4 fields"),
            ("0 * * * * *", "6 fields"),
            ("60 * * * *", "minute that is not from 0 to 59"),
            ("0 24 * * *", "hour that"),
            ("0 0 0 * *", "day of the month that"),
            ("0 0 * 13 *", "month that"),
            ("0 0 * * 7", "day of the week that is not from 0 to 6"),
            ("0 0 * * monday", "day of the week that"),
            ("5-1 * * * *", "does not go up"),
            ("1-2-3 * * * *", "does not go up"),
            ("*/0 * * * *", "step"),
            ("*/5/2 * * * *", "step"),
            ("@fortnightly", "none of the words"),
            ("@every", "none of the words"),
            ("@every day", "length of time"),
            ("TZ=UTC", "time zone"),
        ] {
            assert!(read(bad).is_err_and(|told| told.contains(part)), "{bad}: {:?}", read(bad));
        }
    }
}
