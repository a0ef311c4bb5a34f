//! Which fields are carried from a live object into what we expect of it, each by a rule that
//! proves them. Never by mere presence: that would smuggle an attacker's value in.
