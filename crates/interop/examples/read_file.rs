//! Prints what a FHIR file reads as, and how long it took: `cargo run --release -p mecum-interop --example read_file -- FILE [all|details]`.

use std::time::Instant;

use mecum_interop::{read, read_bundle};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: read_file FILE [all|details]")?;
    let all = std::env::args().nth(2).is_some();
    let all_details = std::env::args().nth(2).is_some_and(|how| how == "details");
    let bytes = std::fs::read(file)?;
    let started = Instant::now();
    let bundle = read_bundle(&bytes)?;
    let brought_in = started.elapsed();
    let readings = bundle.resources.iter().map(|kept| read(&kept.bytes)).collect::<Result<Vec<_>, _>>()?;
    let all_read = started.elapsed();
    for reading in readings.iter().filter(|_| all) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        println!(
            "{:?} {} | {} | {} {} {:?} | {} | {} | {} | {} | {} {:?}",
            reading.kind,
            reading.resource_type,
            reading.title,
            text(&reading.value),
            text(&reading.unit),
            reading.flag,
            reading.date.as_ref().map_or("", |date| date.as_str()),
            text(&reading.author),
            text(&reading.organization),
            text(&reading.code),
            text(&reading.status),
            reading.dosage,
        );
        if all_details {
            println!("{:#?}", reading.details);
        }
    }
    println!("source {:?}, people {}, counts {:?}", bundle.source, bundle.people, bundle.counts);
    let kept: usize = bundle.resources.iter().map(|kept| kept.bytes.len()).sum();
    println!("{} resources, {} bytes, kept {kept} bytes", bundle.resources.len(), bytes.len());
    println!("bundle {brought_in:?}, with every reading {all_read:?}");
    Ok(())
}
