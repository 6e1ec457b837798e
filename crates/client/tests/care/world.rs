//! A patient and a hospital at one server, connected: two devices of each.

use mecum_client::testing::{Held, surroundings};
use mecum_domain::{ChartId, Field, Kind};
use mecum_seal::SpaceId;
use mecum_vault::Location;

use crate::line::{Device, Line, exchange};

/// The devices of a conversation.
pub(crate) struct Clinic {
    pub(crate) line: Line,
    pub(crate) phone: Device,
    pub(crate) laptop: Device,
    pub(crate) hospital: Device,
    pub(crate) desk: Device,
    pub(crate) chart: ChartId,
    pub(crate) space: SpaceId,
}

/// The first device of an account and a second one, which know of each other.
async fn pair(line: &Line, seed: u64, name: &str) -> (Device, Device, ChartId) {
    let (mut first, chart) = line.first(seed).await;
    let second = first.session.pair_for_tests(name, &Location::Memory, surroundings(seed + 1));
    exchange(&mut first).await;
    let mut second = line.device(second).await;
    exchange(&mut second).await;
    (first, second, chart)
}

impl Clinic {
    /// A patient with a record, and a hospital that was just connected with it.
    pub(crate) async fn start(seed: u64) -> Clinic {
        let line = Line::start().await;
        let (mut phone, laptop, chart) = Box::pin(pair(&line, seed, "laptop")).await;
        let (mut hospital, desk, _) = Box::pin(pair(&line, seed + 10, "desk")).await;
        let fields = vec![(Field::Name, "Amlodipine".to_owned()), (Field::Dose, "5".to_owned())];
        phone.session.add(chart, Kind::MedicationStatement, fields).expect("a medicine");
        let card = hospital.session.hospital_card("RS Tirta Asih").expect("it is at a server");
        let offer = phone.session.connect_hospital(chart, &card).expect("a hospital at the same server");
        hospital.session.expect_care(&offer).expect("it is expected");
        let mut clinic = Clinic { line, phone, laptop, hospital, desk, chart, space: offer.space };
        clinic.settle().await;
        clinic
    }

    pub(crate) fn devices(&mut self) -> [&mut Device; 4] {
        [&mut self.phone, &mut self.laptop, &mut self.hospital, &mut self.desk]
    }

    /// Everybody hears everything.
    pub(crate) async fn settle(&mut self) {
        settle(&mut self.devices()).await;
    }

    /// What lies in the conversation on each device.
    pub(crate) fn held(&mut self) -> Vec<Held> {
        let space = self.space;
        let held = |device: &mut Device| device.session.held_in_care_for_tests(space).expect("it loads");
        self.devices().map(held).into()
    }
}

/// Everybody hears everything.
pub(crate) async fn settle(devices: &mut [&mut Device]) {
    for _ in 0..3 {
        for device in devices.iter_mut() {
            exchange(device).await;
        }
    }
}
