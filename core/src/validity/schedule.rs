//! Schedules of CronJobs and their time zones, as the API server checks them.

use jiff::tz::TimeZoneDatabase;

use super::object::{Object, is_unset};
use crate::cron::Schedule;
use crate::path::FieldPath;

/// Longest name, with what the controller adds to name a Job.
const LONGEST_NAME: usize = 52;

pub(super) fn cron_job(object: &mut Object<'_>) {
    if object.manifest.key.name.len() > LONGEST_NAME {
        let hint = "use at most 52 characters: the names of its Jobs are longer";
        object.say("valid/name", &FieldPath::of(["metadata", "name"]), "is too long for a CronJob", hint);
    }
    let schedule = &object.value["spec"]["schedule"];
    let Some(text) = schedule.as_str().filter(|_| !is_unset(schedule)) else { return };
    // Only CronJobs of before keep a zone in their schedule.
    if text.contains("TZ") {
        let hint = "write the time zone as `timeZone`";
        object.say("valid/schedule", &FieldPath::of(["spec", "schedule"]), "may not name a time zone", hint);
    } else if let Err(wrong) = Schedule::parse(text, "") {
        let hint = "write minute, hour, day of the month, month and day of the week, such as `30 4 * * 1-5`, or @hourly and its like";
        object.say("valid/schedule", &FieldPath::of(["spec", "schedule"]), wrong, hint);
    }
}

/// The names of zones are those of the time zone database, in its case: the API server looks for files.
pub(super) fn time_zone(object: &mut Object<'_>) {
    let Some(zone) = object.value["spec"]["timeZone"].as_str() else { return };
    let known = TimeZoneDatabase::bundled().get(zone).ok();
    let is_known = zone == "UTC" || known.is_some_and(|known| !known.is_unknown() && known.iana_name() == Some(zone));
    if !is_known {
        let hint = "write it like Europe/Berlin, or Etc/UTC";
        object.say("valid/schedule", &FieldPath::of(["spec", "timeZone"]), "is no known time zone", hint);
    }
}
