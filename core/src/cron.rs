//! Schedules of CronJobs: what is one, and which moments are on it.
//!
//! The grammar and its meaning are those of `github.com/robfig/cron/v3` `ParseStandard`, which
//! differ from other crons': a day matches by month *or* week if both are restricted, `N/step` runs
//! to the end of the range, `?` is `*`, Sunday is 0 only, and a step on `*` restricts. No crate reads
//! exactly that.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};

/// Longest schedule that is read.
const MAX_LENGTH: usize = 1000;

/// When a CronJob runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Schedule {
    Fields {
        fields: Fields,
        zone: TimeZone,
    },
    /// Every so many seconds, counted from the last run.
    Every(i64),
}

/// The values that each field allows, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fields {
    minute: Field,
    hour: Field,
    day_of_month: Field,
    month: Field,
    day_of_week: Field,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    bits: u64,
    /// Whether it says nothing: `*` or `?`, alone or among others.
    any: bool,
}

/// A field: what it is called, and the values that it takes.
struct Bounds {
    name: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { name: "minute", min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { name: "hour", min: 0, max: 23, names: &[] };
const DAYS: Bounds = Bounds { name: "day of the month", min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    name: "month",
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAYS: Bounds =
    Bounds { name: "day of the week", min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Schedule {
    /// Reads a schedule and its time zone; an empty zone is UTC, which control planes run in.
    ///
    /// # Errors
    /// What is wrong with it, to follow its name.
    pub(crate) fn parse(text: &str, zone: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("is longer than {MAX_LENGTH} characters"));
        }
        let (zone, text) = match text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
            Some(rest) => rest.split_once(' ').ok_or("says a time zone and nothing else")?,
            None => (zone, text),
        };
        let zone = match zone {
            "" | "UTC" => TimeZone::UTC,
            name => TimeZoneDatabase::bundled().get(name).map_err(|_| "names no known time zone")?,
        };
        let text = text.trim();
        if let Some(duration) = text.strip_prefix("@every ") {
            let length = seconds(duration).ok_or("has a length of time that cannot be read")?;
            return Ok(Self::Every(length.max(1)));
        }
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            text if text.starts_with('@') => return Err("is none of the words that there are".to_owned()),
            text => text,
        };
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day_of_month, month, day_of_week] = parts[..] else {
            return Err(format!("has {} fields, not five", parts.len()));
        };
        let fields = Fields {
            minute: field(minute, &MINUTES)?,
            hour: field(hour, &HOURS)?,
            day_of_month: field(day_of_month, &DAYS)?,
            month: field(month, &MONTHS)?,
            day_of_week: field(day_of_week, &WEEKDAYS)?,
        };
        Ok(Self::Fields { fields, zone })
    }

    /// Whether a moment is on the schedule; `since` is the last run, or when the CronJob was made.
    pub(crate) fn includes(&self, time: Timestamp, since: Timestamp) -> bool {
        match self {
            Self::Every(seconds) => {
                let elapsed = time.as_second() - since.as_second();
                elapsed > 0 && elapsed % seconds == 0
            }
            Self::Fields { fields, zone } => fields.include(&time.to_zoned(zone.clone())),
        }
    }
}

impl Fields {
    fn include(&self, time: &Zoned) -> bool {
        let has = |field: Field, value: i8| u32::try_from(value).is_ok_and(|v| field.bits & (1 << v) != 0);
        let month_day = has(self.day_of_month, time.day());
        let week_day = has(self.day_of_week, time.weekday().to_sunday_zero_offset());
        let day =
            if self.day_of_month.any || self.day_of_week.any { month_day && week_day } else { month_day || week_day };
        time.second() == 0
            && has(self.minute, time.minute())
            && has(self.hour, time.hour())
            && has(self.month, time.month())
            && day
    }
}

fn field(text: &str, bounds: &Bounds) -> Result<Field, String> {
    let mut found = Field { bits: 0, any: false };
    // Empty elements count as nothing.
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let Field { bits, any } = range(part, bounds)?;
        found = Field { bits: found.bits | bits, any: found.any || any };
    }
    Ok(found)
}

fn range(text: &str, bounds: &Bounds) -> Result<Field, String> {
    let (values, step) = text.split_once('/').map_or((text, None), |(values, step)| (values, Some(step)));
    let step = match step.map(str::parse::<u32>) {
        Some(Ok(step @ 1..)) => Some(step),
        Some(_) => return Err(format!("has a {} whose step is no number from 1 on", bounds.name)),
        None => None,
    };
    let (low, high) = values.split_once('-').map_or((values, None), |(low, high)| (low, Some(high)));
    let any = matches!(low, "*" | "?");
    let (start, end) = if any {
        (bounds.min, bounds.max)
    } else {
        let start = value(low, bounds)?;
        let end = match (high, step) {
            (Some(high), _) if high.contains('-') => return Err(not_a_range(bounds)),
            (Some(high), _) => value(high, bounds)?,
            (None, Some(_)) => bounds.max,
            (None, None) => start,
        };
        (start, end)
    };
    if start > end {
        return Err(not_a_range(bounds));
    }
    let step = step.unwrap_or(1);
    let bits = (start..=end).step_by(step as usize).fold(0, |bits, v| bits | (1 << v));
    Ok(Field { bits, any: any && step == 1 })
}

fn not_a_range(bounds: &Bounds) -> String {
    format!("has a {} whose range does not go up", bounds.name)
}

fn value(text: &str, bounds: &Bounds) -> Result<u32, String> {
    let named = bounds.names.iter().position(|n| text.eq_ignore_ascii_case(n));
    let named = named.and_then(|position| u32::try_from(position).ok()).map(|position| position + bounds.min);
    let value = named.or_else(|| text.parse().ok()).filter(|v| (bounds.min..=bounds.max).contains(v));
    value.ok_or_else(|| format!("has a {} that is not from {} to {}", bounds.name, bounds.min, bounds.max))
}

/// Whole seconds of a Go duration such as `1h30m`; parts of a second are cut off.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let (mut rest, sign) = match text.strip_prefix('-') {
        Some(rest) => (rest, -1.0),
        None => (text.strip_prefix('+').unwrap_or(text), 1.0),
    };
    let mut nanoseconds: f64 = 0.0;
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let factor = match &rest[..unit] {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        nanoseconds += number * factor;
        rest = &rest[unit..];
    }
    let seconds = (sign * nanoseconds / 1e9).floor();
    (seconds < 1e12).then_some(seconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(schedule: &str, zone: &str, time: &str) -> bool {
        let since = "2026-01-01T00:00:07Z".parse().unwrap();
        Schedule::parse(schedule, zone).unwrap().includes(time.parse().unwrap(), since)
    }

    #[test]
    fn moments_are_on_a_schedule_as_robfig_cron_has_it() {
        // 2026-05-01 is a Friday.
        let cases = [
            ("* * * * *", "2026-05-01T10:07:00Z", true),
            ("* * * * *", "2026-05-01T10:07:01Z", false),
            ("*/5 * * * *", "2026-05-01T10:05:00Z", true),
            ("*/5 * * * *", "2026-05-01T10:06:00Z", false),
            ("7/10 * * * *", "2026-05-01T10:37:00Z", true),
            ("7/10 * * * *", "2026-05-01T10:30:00Z", false),
            ("10-20/5 * * * *", "2026-05-01T10:15:00Z", true),
            ("10-20/5 * * * *", "2026-05-01T10:25:00Z", false),
            ("0 9-17 * * MON-FRI", "2026-05-01T09:00:00Z", true),
            ("0 9-17 * * MON-FRI", "2026-05-02T09:00:00Z", false),
            ("0 0 1,15 * *", "2026-05-15T00:00:00Z", true),
            // Both days restricted: either will do.
            ("0 0 13 * fri", "2026-05-01T00:00:00Z", true),
            ("0 0 13 * fri", "2026-05-13T00:00:00Z", true),
            ("0 0 13 * fri", "2026-05-14T00:00:00Z", false),
            // One of them free: both must hold.
            ("0 0 ? * fri", "2026-05-02T00:00:00Z", false),
            // A step on a star restricts, so that either day will do.
            ("0 0 */2 * fri", "2026-05-03T00:00:00Z", true),
            ("0 0 1 jan-MAR *", "2026-02-01T00:00:00Z", true),
            ("0 0 1 jan *", "2026-02-01T00:00:00Z", false),
            ("@hourly", "2026-05-01T10:00:00Z", true),
            ("@daily", "2026-05-01T10:00:00Z", false),
            ("@weekly", "2026-05-03T00:00:00Z", true),
            ("@monthly", "2026-05-01T00:00:00Z", true),
            ("@yearly", "2026-05-01T00:00:00Z", false),
            ("@every 1h30m", "2026-01-01T03:00:07Z", true),
            ("@every 1h30m", "2026-01-01T03:00:00Z", false),
            ("@every 1h30m", "2026-01-01T00:00:07Z", false),
            ("@every 100ms", "2026-01-01T00:00:08Z", true),
        ];
        for (schedule, time, included) in cases {
            assert_eq!(on(schedule, "", time), included, "{schedule} {time}");
        }
    }

    #[test]
    fn schedules_run_in_their_time_zone() {
        assert!(on("30 9 * * *", "Europe/Berlin", "2026-07-01T07:30:00Z"));
        assert!(on("30 9 * * *", "Europe/Berlin", "2026-12-01T08:30:00Z"));
        assert!(!on("30 9 * * *", "Europe/Berlin", "2026-12-01T07:30:00Z"));
        assert!(on("TZ=Asia/Kolkata 0 6 * * *", "", "2026-05-01T00:30:00Z"));
    }

    #[test]
    fn what_robfig_reads_is_good() {
        for good in [
            "*/5 0-23/2 1,15 jan-DEC sun",
            "5/15 * ? * ?",
            "0 0 1 1 0",
            "  1   2 3 4 5 ",
            "1,,2 * * * *",
            "@every 1.5h",
            "@every 10ms",
            "TZ=Europe/Berlin 0 4 * * *",
            "59 23 31 12 6",
            "*-5 * * * *",
            "+5 * * * *",
        ] {
            assert!(Schedule::parse(good, "").is_ok(), "{good}");
        }
    }

    #[test]
    fn what_it_does_not_read_is_told() {
        for (bad, part) in [
            ("", "0 fields"),
            ("* * * *", "4 fields"),
            ("0 * * * * *", "6 fields"),
            ("60 * * * *", "minute that is not from 0 to 59"),
            ("a * * * *", "minute that"),
            ("0 24 * * *", "hour that"),
            ("0 0 0 * *", "day of the month that"),
            ("0 0 * 13 *", "month that"),
            ("0 0 * * 7", "day of the week that is not from 0 to 6"),
            ("0 0 * * monday", "day of the week that"),
            ("5-1 * * * *", "does not go up"),
            ("1-2-3 * * * *", "does not go up"),
            ("*/0 * * * *", "step"),
            ("*/5/2 * * * *", "step"),
            ("1//2 * * * *", "step"),
            ("@fortnightly", "none of the words"),
            ("@every", "none of the words"),
            ("@every day", "length of time"),
            ("@every 1", "length of time"),
            ("TZ=UTC", "time zone"),
            ("TZ=Mars/Olympus * * * * *", "time zone"),
        ] {
            let told = Schedule::parse(bad, "");
            assert!(told.as_ref().is_err_and(|told| told.contains(part)), "{bad}: {told:?}");
        }
        assert!(Schedule::parse("* * * * *", "Mars/Olympus").is_err());
    }
}
