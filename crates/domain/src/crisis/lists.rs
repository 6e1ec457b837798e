//! The lists. A phrase is words in a row; `|` parts what may stand in one place, and `~` before a place says that up to two other words
//! may stand before it. Capitals stand for a list of [`CLASSES`]; `!` for what may not follow, and `#` for digits. Apostrophes are left
//! out, and `2` for a word said twice is read as the word twice.

use super::Crisis;

pub(super) const PHRASES: &[(Crisis, &[&str])] = &[
    (Crisis::SelfHarm, SELF_HARM_EN),
    (Crisis::SelfHarm, SELF_HARM_ID),
    (Crisis::Abuse, ABUSE_EN),
    (Crisis::Abuse, ABUSE_ID),
    (Crisis::Emergency, EMERGENCY_EN),
    (Crisis::Emergency, EMERGENCY_ID),
];

/// Words that stand for each other in every line.
pub(super) const CLASSES: &[(&str, &str)] = &[
    ("NEG", "not|dont|doesnt|didnt|never|no"),
    ("SELF", "myself|himself|herself|themselves|themself|yourself"),
    ("MY", "my|his|her|their|your"),
    (
        "WHO",
        "he|she|they|him|her|husband|wife|partner|boyfriend|girlfriend|ex|dad|father|stepdad|stepfather|mum|mom|mother|stepmother|\
         son|daughter|child|baby|kid|brother|sister|uncle|aunt|grandpa|grandma|grandfather|grandmother|somebody|someone",
    ),
    (
        "PARTNER",
        "husband|wife|partner|boyfriend|girlfriend|ex|dad|father|stepdad|stepfather|mum|mom|mother|stepmother|son|brother|uncle",
    ),
    (
        "HITS",
        "hit|hits|hitting|beat|beats|beating|punch|punches|punched|kick|kicks|kicked|slap|slaps|slapped|choke|chokes|choked|\
         strangles|strangled|hurt|hurts|hurting|abuse|abuses|abused|rape|rapes|raped|molests|molested",
    ),
    ("NOT", "tidak|tak|tdk|gak|gk|ga|g|nggak|ngga|enggak|engga|ndak|nda|kagak"),
    ("WANT", "ingin|pengen|pengin|pingin|kepengen|kepengin|kepingin|pgn"),
    ("ME", "saya|aku|gue|gua|gw"),
    (
        "FAMILY",
        "suami|suamiku|suaminya|istri|istriku|istrinya|pacar|pacarku|pacarnya|mantan|pasangan|ayah|ayahku|ayahnya|bapak|bapakku|\
         bapaknya|papa|ibu|ibuku|ibunya|mama|mertua|anak|anakku|anaknya|kakak|adik|paman|om|majikan|nenek|kakek",
    ),
    (
        "FEARED",
        "suami|suamiku|istri|istriku|pacar|pacarku|mantan|ayah|ayahku|bapak|bapakku|papa|paman|om|mertua|majikan",
    ),
    (
        "BEATEN",
        "dipukul|dipukuli|dipukulin|ditampar|ditampari|ditendang|disiksa|dihajar|dicekik|digebuk|digebuki|digebukin",
    ),
    (
        "BEATS",
        "pukul|pukuli|pukulin|mukul|mukuli|mukulin|memukul|memukuli|nampar|menampar|nendang|menendang|nyiksa|menyiksa|menganiaya|\
         memperkosa|mencekik|menghajar",
    ),
    // What dies every day, and is no person.
    ("POWER", "lampu|listrik|rasa|gaya"),
    ("NUMBER", "#|nol|satu|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan"),
    ("BREATH", "napas|nafas|bernapas|bernafas"),
    ("VERY", "hebat|parah|sekali|banget|bgt|mendadak"),
];

const SELF_HARM_EN: &[&str] = &[
    "suicide|suicidal",
    "kill|kills|killing|killed|hang|hanging|hurting|harming SELF",
    "kill|killing my self",
    "want|wants|wanted|going|tried to hurt|harm SELF",
    "wanna|gonna hurt|harm SELF",
    "hurt|cut|burn|burned|harm|harmed SELF on purpose",
    "self harm|harming",
    "selfharm",
    "cutting SELF",
    "wanna|gonna|might|should|just|ill|will kms",
    "want|going to kms",
    "end|ending|ended MY life",
    "end|ending it all",
    "take|taking|took MY ~life !back",
    "slit|slitting|cut|cutting MY wrist|wrists",
    "want|wants|wanted|wish|wishes to die",
    "wanna die",
    "feel|feels|felt|feeling like dying",
    "wish ~was|were dead",
    "wish ~never ~born",
    "better off dead",
    "better off without me",
    "no reason to live",
    "nothing to live for",
    "not|isnt|aint worth living",
    "NEG ~want|wants|wanted|wanna ~live|exist|alive",
    "NEG ~want|wants|wanna ~here any|anymore",
    "NEG want|wants|wanna ~wake up",
    "cannot|cant go on living",
];

const SELF_HARM_ID: &[&str] = &[
    "bunuh|membunuh|gantung|menggantung diri|diriku|dirinya",
    "bundir",
    "bunuhdiri",
    "mengakhiri|akhiri|ngakhiri hidup|hidupku|hidupnya",
    "WANT|mau mengakhiri|akhiri|ngakhiri semua|semuanya",
    "WANT mati !POWER",
    "WANT meninggal",
    "ME mau mati !POWER",
    "rasanya|rasa|kayak|seperti mau mati !POWER",
    "mau|biar mati saja|aja",
    "lebih baik|enak ~mati !POWER",
    "mending|mendingan ~mati !POWER",
    "NOT WANT|mau|sanggup|kuat|mampu hidup !sendiri|sendirian|sama|dengan|bersama|di|susah|tanpa|boros",
    "NOT ada gunanya ~hidup",
    "buat|untuk apa ~hidup",
    "capek|cape|lelah|bosan|muak hidup",
    "menyakiti|sakiti|nyakiti|nyakitin|melukai|lukai diri|diriku|dirinya",
    "menyayat|nyayat|sayat ~tangan|lengan|nadi",
    "potong|memotong|motong|iris|mengiris ~nadi",
    "lompat|loncat|terjun dari ~jembatan|gedung|atap|lantai",
    "minum racun",
    "minum obat banyak",
    "minum semua obat|obatnya",
];

const ABUSE_EN: &[&str] = &[
    "WHO ~HITS me",
    "slaps|kicks|chokes|abuses|rapes me",
    "beats|beat|beating me up",
    "slapped|choked|strangled|abused|raped|molested me",
    "being|been|was|am|got beaten|abused|raped|molested|assaulted|strangled",
    "PARTNER is|was|gets ~abusive|violent",
    "abusive husband|wife|partner|boyfriend|girlfriend|father|mother|relationship|marriage",
    "domestic violence|abuse",
    "sexual abuse|assault|violence",
    "sexually abused|assaulted",
    "threatens|threatened|threatening to kill|hurt me",
    "afraid|scared|frightened|terrified of my PARTNER",
    "afraid|scared to go home",
];

const ABUSE_ID: &[&str] = &[
    "kdrt",
    "kekerasan dalam rumah tangga",
    "kekerasan|pelecehan seksual",
    "BEATEN ~FAMILY",
    "dipukuli|dipukulin",
    "FAMILY|dia ~BEATS ~ME|anak|anakku|ibu|ibuku|mama|adik|kami",
    "memukul|memukuli|menampar|menyiksa|menganiaya|memperkosa|mukulin ME",
    "dianiaya|diperkosa|dilecehkan|disiksa|dicabuli",
    "dipaksa ~berhubungan|hubungan|bersetubuh",
    "mengancam|ngancam ~membunuh|bunuh",
    "diancam ~dibunuh|bunuh",
    "takut FEARED",
    "takut sama|pada|dengan|dgn|ama FEARED",
    "takut pulang ke rumah",
];

const EMERGENCY_EN: &[&str] = &[
    "severe|crushing|terrible|sudden chest pain",
    "chest pain right now",
    "pain|pressure in|on MY chest",
    "having|has|had a heart attack",
    "having|has a stroke|seizure",
    "cant|cannot|couldnt|not|isnt|stopped ~breathe|breath|breathing",
    "struggling|hard to breathe|breath",
    "trouble|difficulty breathing",
    "unconscious",
    "WHO ~unresponsive",
    "passed|passing out",
    "fainted",
    "collapsed",
    "convulsing|convulsions",
    "choking",
    "wont|cant|cannot wake up",
    "will not wake up",
    "not waking up",
    "diabetic coma",
    "in a coma",
    "face is drooping",
    "slurred|slurring speech",
    "wont|cant stop bleeding",
    "bleeding wont stop",
    "bleeding heavily",
    "throwing|threw|coughing|coughed|vomiting|vomited ~blood",
    "overdose|overdosed",
    "swallowed|drank ~poison|bleach",
    "took|taken too many pills|tablets",
    "took|taken|injected too much insulin",
    "call|need an ambulance",
];

const EMERGENCY_ID: &[&str] = &[
    "nyeri|sakit dada ~VERY",
    "dada ~nyeri|sakit VERY",
    "sesak BREATH VERY|berat",
    "NOT bisa BREATH",
    "susah|sulit BREATH",
    "berhenti BREATH",
    "NOT sadarkan|sadar diri",
    "hilang|kehilangan kesadaran",
    "NOT bisa|bs dibangunkan|dibangunin",
    "pingsan",
    "koma diabetik|diabetikum|diabetes",
    "FAMILY|dia|ME ~koma !NUMBER",
    "tersedak|keselek",
    "kejang kejang",
    "FAMILY|dia ~kejang",
    "sedang|lagi kejang|stroke",
    "kena|terkena|sedang|lagi serangan jantung",
    "wajah|mulut|muka mencong",
    "bicara|bicaranya pelo",
    "muntah|batuk darah",
    "perdarahan|pendarahan hebat|banyak",
    "darah|darahnya|perdarahan|pendarahan NOT ~berhenti",
    "overdosis|keracunan",
    "kebanyakan|kelebihan insulin",
    "panggil|panggilkan|butuh|perlu ambulans|ambulan|ambulance",
];
