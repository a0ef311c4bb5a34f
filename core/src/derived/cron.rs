//! Cron schedules as CronJobs have them: which moments are on one.
//!
//! The grammar and its meaning are those of `github.com/robfig/cron/v3` `ParseStandard`, which
//! differ from other crons': a day matches by month *or* week if both are restricted, `N/step` runs
//! to the end of the range, `?` is `*`, Sunday is 0 only, and a step on `*` restricts.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};

/// Longest schedule that is read.
const MAX_LENGTH: usize = 1000;

/// When a CronJob runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Schedule {
    Fields {
        fields: Fields,
        zone: TimeZone,
    },
    /// Every so many seconds, counted from the last run.
    Every(i64),
}

/// The values that each field allows, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields {
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

struct Bounds {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAYS: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAYS: Bounds = Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Schedule {
    /// Reads a schedule and its time zone; an empty zone is UTC, which control planes run in.
    pub(super) fn parse(text: &str, zone: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let (zone, text) = match text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
            Some(rest) => rest.split_once(' ')?,
            None => (zone, text),
        };
        let zone = match zone {
            "" | "UTC" => TimeZone::UTC,
            name => TimeZoneDatabase::bundled().get(name).ok()?,
        };
        let text = text.trim();
        if let Some(duration) = text.strip_prefix("@every ") {
            return Some(Self::Every(seconds(duration)?.max(1)));
        }
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            text => text,
        };
        let mut parts = text.split_ascii_whitespace();
        let mut next = |bounds| field(parts.next()?, bounds);
        let fields = Fields {
            minute: next(&MINUTES)?,
            hour: next(&HOURS)?,
            day_of_month: next(&DAYS)?,
            month: next(&MONTHS)?,
            day_of_week: next(&WEEKDAYS)?,
        };
        parts.next().is_none().then_some(Self::Fields { fields, zone })
    }

    /// Whether a moment is on the schedule; `since` is the last run, or when the CronJob was made.
    pub(super) fn includes(&self, time: Timestamp, since: Timestamp) -> bool {
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

fn field(text: &str, bounds: &Bounds) -> Option<Field> {
    let mut found = Field { bits: 0, any: false };
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let Field { bits, any } = range(part, bounds)?;
        found = Field { bits: found.bits | bits, any: found.any || any };
    }
    Some(found)
}

fn range(text: &str, bounds: &Bounds) -> Option<Field> {
    let (values, step) = match text.split_once('/') {
        Some((values, step)) => (values, Some(step.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let (low, high) = match values.split_once('-') {
        Some((low, high)) => (low, Some(high)),
        None => (values, None),
    };
    let any = matches!(low, "*" | "?");
    let (start, end) = if any {
        (bounds.min, bounds.max)
    } else {
        let start = value(low, bounds)?;
        let end = match (high, step) {
            (Some(high), _) => value(high, bounds)?,
            (None, Some(_)) => bounds.max,
            (None, None) => start,
        };
        (start, end)
    };
    let step = step.unwrap_or(1);
    if step == 0 || start < bounds.min || end > bounds.max || start > end {
        return None;
    }
    let bits = (start..=end).step_by(step as usize).fold(0, |bits, v| bits | (1 << v));
    Some(Field { bits, any: any && step == 1 })
}

fn value(text: &str, bounds: &Bounds) -> Option<u32> {
    let named = bounds.names.iter().position(|n| text.eq_ignore_ascii_case(n));
    match named {
        Some(position) => u32::try_from(position).ok().map(|p| p + bounds.min),
        None => text.parse().ok(),
    }
}

/// Whole seconds of a Go duration such as `1h30m`; parts of a second are cut off.
fn seconds(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut nanoseconds: f64 = 0.0;
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
    let seconds = (nanoseconds / 1e9).floor();
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
    fn what_is_no_schedule_is_refused() {
        let texts = [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 7",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1-2-3 * * * *",
            "@never",
            "@every",
            "@every x",
            "@every 1",
            "1//2 * * * *",
        ];
        for text in texts {
            assert_eq!(Schedule::parse(text, ""), None, "{text}");
        }
        assert_eq!(Schedule::parse("* * * * *", "Mars/Olympus"), None);
    }
}
