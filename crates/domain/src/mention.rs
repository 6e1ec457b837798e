//! A warning before a post names a person: staff and other patients have not agreed to stand in a room.
//!
//! It finds a title with a name ("dr. Sari", "suster Ani", "Bu Ratna", "Mr Tan") and names of practitioners that the hospital's
//! directory has. It reads on the writer's device, before the post is sent, and warns: whoever means it posts as it is. It reports to
//! nobody. It does not find a name without a title that is in no directory, and takes some words for names ("Sari" is also juice).

use serde::{Deserialize, Serialize};

use crate::folding::{Word, folded, words};

/// Where a text seems to name a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mention {
    /// The first byte, of the title where there is one.
    pub from: usize,
    /// The byte after the last.
    pub to: usize,
}

/// How sure a title makes that a name follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Title {
    /// Short for one: a full stop may follow, and names in lower case count.
    Short,
    /// A profession: names in lower case count.
    Full,
    /// Also said to anybody, or of one's own family: a capital has to follow.
    Address,
    /// Short for one, but also for other words: a capital has to follow, or a full stop and then the name.
    Doubtful,
}

/// Titles as they are compared: without case, and with one letter for two.
const TITLES: &[(&str, Title)] = &[
    ("dr", Title::Doubtful),
    ("drg", Title::Short),
    ("prof", Title::Short),
    ("mr", Title::Short),
    ("mrs", Title::Short),
    ("ms", Title::Doubtful),
    ("bpk", Title::Short),
    ("sr", Title::Doubtful),
    ("doctor", Title::Full),
    ("dokter", Title::Full),
    ("profesor", Title::Full),
    ("suster", Title::Full),
    ("ners", Title::Full),
    ("ns", Title::Short),
    ("perawat", Title::Full),
    ("bidan", Title::Full),
    ("nurse", Title::Full),
    ("midwife", Title::Full),
    ("bu", Title::Address),
    ("ibu", Title::Address),
    ("pak", Title::Address),
    ("bapak", Title::Address),
    ("mas", Title::Address),
    ("mbak", Title::Address),
    ("mis", Title::Address),
    ("mister", Title::Address),
    ("sister", Title::Address),
];

/// Words that follow a title and are no names.
const NOT_NAMES: &str = "
    about after again ahli aja akan aku ambil anak and anda apa apakah appointment are as asked at atau baik
    baru bedah before beliau belum berkata bilang bisa bukan but came can clinic could dalam dan dari datang
    dengan di dia did does for from gave gigi google guru had hamil has have he her his hospital how i if igd
    in ini is it itu jaga jantung jika juga kalau kamar kami kandungan karena kata katanya ke keluarga
    kemarin kemudian kepala kerja kita kota kulit lain lalu lama langsung lupa mana masih mata mau
    mengatakan menyusui mereka minta muda my nama namanya negara never no not of on or our pada panggil paru
    penyakit pernah praktek praktik pribadi puskesmas ramah ruang rumah said saja sakit sama sangat saraf
    saat saya says sedang sekali she should siapa so spesialis sudah suka suruh tadi telah telinga terima
    tetapi that the they this tidak to told tolong tua umum untuk visit was we were what when who will with
    would yang you your
";

/// Most words of a name that are taken along.
const MOST_WORDS: usize = 4;

/// Fewest letters of a part of a practitioner's name that stands for them by itself.
const LEAST_LETTERS: usize = 4;

/// Where a text seems to name somebody, in order and never over each other. `practitioners` are names as the directory has them, with
/// titles and degrees: [`crate::Practitioner::name`].
pub fn mentions<'a>(text: &str, practitioners: impl IntoIterator<Item = &'a str>) -> Vec<Mention> {
    let all = words(text);
    let mut found: Vec<Mention> = (0..all.len()).filter_map(|at| titled(text, all.get(at..)?)).collect();
    for name in practitioners {
        listed(&all, name, &mut found);
    }
    found.sort_unstable();
    let mut apart: Vec<Mention> = Vec::new();
    for mention in found {
        match apart.last_mut().filter(|last| mention.from < last.to) {
            Some(last) => last.to = last.to.max(mention.to),
            None => apart.push(mention),
        }
    }
    apart
}

fn title_of(word: &Word) -> Option<Title> {
    TITLES.iter().find(|(title, _)| *title == word.folded).map(|(_, title)| *title)
}

fn may_be_name(word: &Word) -> bool {
    title_of(word).is_none()
        && NOT_NAMES.split_whitespace().all(|other| folded(other) != word.folded)
        && !word.folded.starts_with(|c: char| c.is_ascii_digit())
}

/// A title at the first of these words, with the name that follows.
fn titled(text: &str, words: &[Word]) -> Option<Mention> {
    let [title, name, rest @ ..] = words else { return None };
    let kind = title_of(title)?;
    let between = |one: &Word, next: &Word| text.get(one.to..next.from).unwrap_or_default();
    let gap = between(title, name).trim();
    let stop = gap == "." && matches!(kind, Title::Short | Title::Doubtful);
    let sure = match kind {
        Title::Short | Title::Full => true,
        Title::Doubtful => stop,
        Title::Address => false,
    };
    if !(gap.is_empty() || stop) || !(name.capital || sure) || !may_be_name(name) {
        return None;
    }
    let mut last = name;
    for word in rest.iter().take(MOST_WORDS - 1) {
        if !word.capital || !may_be_name(word) || !between(last, word).trim().is_empty() {
            break;
        }
        last = word;
    }
    Some(Mention { from: title.from, to: last.to })
}

/// Where a practitioner is named: by the whole name in any case, or by a part of it with a capital.
fn listed(text: &[Word], name: &str, found: &mut Vec<Mention>) {
    let before_degrees = name.split(',').next().unwrap_or(name);
    let of_name = |word: &Word| title_of(word).is_none() && word.to - word.from > 1;
    let name: Vec<Word> = words(before_degrees).into_iter().filter(of_name).collect();
    if name.len() > 1 {
        for at in text.windows(name.len()) {
            if let ([first, .., last], true) =
                (at, at.iter().zip(&name).all(|(word, part)| word.folded == part.folded))
            {
                found.push(Mention { from: first.from, to: last.to });
            }
        }
    }
    for word in text.iter().filter(|word| word.capital) {
        let part = |part: &Word| part.to - part.from >= LEAST_LETTERS && part.folded == word.folded;
        if name.iter().any(part) {
            found.push(Mention { from: word.from, to: word.to });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAFF: [&str; 3] = ["dr. Sari Wulandari, Sp.PD", "Ns. Budi H. Santoso, S.Kep", "Prof. Dr. Li Na"];

    fn named(text: &str) -> Vec<&str> {
        mentions(text, STAFF).into_iter().filter_map(|found| text.get(found.from..found.to)).collect()
    }

    #[test]
    fn a_title_with_a_name_is_found() {
        for (text, name) in [
            ("kata dr. Hasan begitu", "dr. Hasan"),
            ("kata Dr Hasan Basri begitu", "Dr Hasan Basri"),
            ("dr. hasan bilang tidak apa", "dr. hasan"),
            ("drg Maya", "drg Maya"),
            ("suster ani galak", "suster ani"),
            ("Suster Ani, tolong", "Suster Ani"),
            ("tadi ada Bu Ratna", "Bu Ratna"),
            ("PAK JOKO yang jaga", "PAK JOKO"),
            ("Mr Tan said so", "Mr Tan"),
            ("thanks to mrs. o'neil", "mrs. o'neil"),
            ("Ms. Lim was kind", "Ms. Lim"),
            ("nurse Ayu Lestari came", "nurse Ayu Lestari"),
            ("bidan Éka", "bidan Éka"),
        ] {
            assert_eq!(mentions(text, []).len(), 1, "{text}");
            assert_eq!(named(text), [name], "{text}");
        }
    }

    #[test]
    fn a_practitioner_of_the_directory_is_found_without_a_title() {
        assert_eq!(named("ke sari wulandari saja"), ["sari wulandari"], "the whole name");
        assert_eq!(named("Wulandari was kind"), ["Wulandari"], "a part of it");
        assert_eq!(named("sama Santoso dan dr Wulandari"), ["Santoso", "dr Wulandari"], "each once");
        assert_eq!(named("li na told me"), ["li na"], "a short one, whole");
        assert_eq!(mentions("sari wulandari", []), [], "nobody of a directory that is not there");
    }

    #[test]
    fn what_names_nobody_warns_of_nothing() {
        for text in [
            "",
            "saya ke dokter kemarin",
            "Dokter spesialis jantung bilang boleh",
            "kata dokter. Besok kontrol",
            "the doctor said it is fine",
            "the nurse told me to wait",
            "Ibu saya diabetes, bapak juga",
            "ibu hamil boleh puasa?",
            "terima kasih bu, saya coba",
            "Ibu Saya sudah sehat",
            "saya dr rumah langsung ke sini",
            "suster yang jaga ramah",
            "makan sari buah",
            "Na, itu dia",
            "5 ms lagi",
            "dr. 5 tahun lalu",
            "pak tolong dibantu",
            "Dr Google is not a doctor",
        ] {
            assert_eq!(named(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn titles_are_as_they_are_compared() {
        for (title, _) in TITLES {
            assert_eq!(folded(title), *title, "one letter for two");
        }
    }
}
