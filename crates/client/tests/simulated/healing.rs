//! What follows when the network is good again: the devices exchange until nobody has anything left, and are compared.

use super::{BTreeMap, DEVICES, Noise, World};

/// After so many rounds they should long have come to rest, unanswered exchanges among them.
const ROUNDS: u32 = 40;
/// What one acknowledges the others hear with their next exchange: so many rounds in a row in which there was nothing left.
const QUIET: u32 = 3;

/// What a device shows: its fingerprint, and the days of its rows in their order.
type Shown = (BTreeMap<String, String>, Vec<Option<String>>);

impl World<'_> {
    /// A network without losses until nobody has anything left; then what is wrong, if anything.
    pub(super) fn heal(&mut self) -> Result<(), String> {
        self.loss = 0;
        if self.wire.is_none() {
            self.start_relay();
        }
        for device in &mut self.devices {
            (device.cut_off_until, device.deaf_until) = (0, 0);
        }
        self.come_to_rest()?;
        if let Noise::Late(rounds) = self.noise {
            self.late = rounds;
            self.edit(1);
            self.come_to_rest()?;
        }
        self.compare()
    }

    /// Both ways of an exchange may take longer together than a device waits. Who was not answered may have nothing to say and yet
    /// not have heard what the others said: such a round tells nothing of whether anything is left.
    fn come_to_rest(&mut self) -> Result<(), String> {
        let mut quiet = 0;
        for _ in 0..ROUNDS {
            let given_up = self.given_up;
            for device in 0..DEVICES {
                self.ask(device)?;
            }
            self.live_on()?;
            self.late = self.late.saturating_sub(1);
            let mut waiting = self.given_up > given_up;
            for device in 0..DEVICES {
                waiting |= self.device(device).has_something_to_say() || self.devices[device].token.is_none();
            }
            quiet = if waiting { 0 } else { quiet + 1 };
            if quiet == QUIET {
                return Ok(());
            }
        }
        Err(format!("no rest after {ROUNDS} rounds"))
    }

    /// Everything that is under way arrives.
    fn live_on(&mut self) -> Result<(), String> {
        while let Some(((now, _), event)) = self.queue.pop_first() {
            self.now = now;
            self.handle(event)?;
        }
        Ok(())
    }

    fn compare(&mut self) -> Result<(), String> {
        let chart = self.chart;
        let mut first: Option<Shown> = None;
        for at in 0..DEVICES {
            let session = self.device(at);
            let counts = session.honesty().map_err(|error| error.to_string())?;
            let aside = session.quarantined();
            if aside > 0 || counts.device > 0 || counts.sent > 0 {
                return Err(format!("device {at}: {aside} put aside, {counts:?}"));
            }
            let all = session.fingerprint().map_err(|error| error.to_string())?;
            let rows = session.rows(chart).map_err(|error| error.to_string())?;
            // Within a day each device lists in the order in which it got things.
            let order: Vec<Option<String>> = rows.newest().iter().map(|row| row.date.clone()).collect();
            let shown = format!("{all:?}");
            if let Some(lost) = self.written.iter().find(|name| !shown.contains(name.as_str())) {
                return Err(format!("device {at} lacks {lost}"));
            }
            match &first {
                None => first = Some((all, order)),
                Some((other, listed)) => {
                    let keys = all.keys().chain(other.keys());
                    if let Some(key) = keys.into_iter().find(|key| all.get(*key) != other.get(*key)) {
                        let (own, others) = (all.get(key), other.get(key));
                        return Err(format!("device {at} differs at {key}: {own:?} against {others:?}"));
                    }
                    if order != *listed {
                        return Err(format!("device {at} lists other days"));
                    }
                }
            }
        }
        Ok(())
    }
}
