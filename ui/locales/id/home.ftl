# Beranda, "Di mana barang Anda", dan "Rekam siapa?".

home-opening = Membuka beranda
home-needs = Menunggu Anda
home-needs-count = { $shown } dari { $total }
home-needs-all = Tampilkan semua { $total }
home-nothing = Tidak ada yang menunggu Anda.
home-latest = Terbaru di semua rekam
home-all = Lihat rekam
home-family = Rekam
home-empty-title = Rekam Anda masih kosong
home-empty-text = Yang Anda tulis dan bawa dari rumah sakit akan muncul di sini, yang terbaru lebih dulu.
home-import = Bawa berkas
home-add = Tulis sesuatu

need-clash = { $title }: tertulis dua nilai
need-clash-dose = { $title }: tertulis dua dosis
need-device = { $name } minta ditambahkan
need-quarantine = Ada yang tidak bisa diperiksa
need-wrote = { $value } di { $device }, { $when }
need-wrote-short = { $value } di { $device }
need-cleared = kosong
need-device-about = Katakan ya hanya jika perangkat itu ada di tangan Anda.
need-quarantine-about = Sudah disisihkan. Yang lain tetap berjalan.
need-settle = Selesaikan
need-read = Baca
need-look = Lihat

people-title = Rekam siapa?
people-switch = Rekam siapa? Buka yang lain
people-own = Rekam Anda
people-managed = { $relation }, Anda yang mengurus rekam ini
people-managed-age = { $age } tahun, { $relation }
people-add = Tambah orang
people-add-do = Buat rekam ini
people-relation = Siapa dia bagi Anda?
people-colour = Warna rekam ini
people-edit = Ubah nama atau warna
people-edit-do = Simpan
colour-nila = Nila, garis miring
colour-manggis = Manggis, lonjong
colour-kunyit = Kunyit, belah ketupat
colour-toska = Toska, garis tegak
colour-bata = Bata, segitiga
colour-lumut = Lumut, titik
colour-kopi = Kopi, silang
people-needs = { $count ->
   *[other] { $count } menunggu Anda
}
people-unreadable = Rekam ini tidak terbaca di perangkat ini. Yang lain tetap bisa dipakai.
people-unreadable-flag = Tidak terbaca
people-nothing-yet = Belum ada catatan
people-entries = { $count ->
   *[other] { $shown } catatan
}

where-title = Di mana catatan Anda
where-opening = Mencari di mana catatan Anda
where-device = Di perangkat ini: belum ada di tempat lain
where-sent = Terkirim: tersimpan di server, belum diambil
where-received = Diterima: perangkat lain sudah menandatangani
where-none = Tidak ada
where-newest = { $count ->
   *[other] Yang terlihat { $count } terbaru.
}
where-more = Tampilkan { $count } lagi
where-and-more = { $count ->
   *[other] dan { $shown } lagi
}
where-written = Ditulis { $when }
where-sent-at = Terkirim { $when }
where-received-by = { $by }, { $when }
where-no-server = Semuanya tetap di perangkat ini.
where-no-server-text = Belum ada server. Agar ada juga di perangkat kedua, hubungkan ke server: yang disimpan di sana hanya data tersegel.
where-offline = Tidak ada sinyal. Tidak ada yang hilang.
where-offline-since = Tidak ada sinyal sejak { $time }. Tidak ada yang hilang.
where-offline-waits = { $count ->
   *[other] Anda tetap bisa bekerja. { $count } catatan menunggu di perangkat ini dan terkirim sendiri saat ada sinyal.
}
where-offline-nothing-waits = Anda tetap bisa bekerja. Tidak ada yang menunggu di perangkat ini.
where-working = Sedang bertukar dengan server
where-up-to-date = Pertukaran terakhir { $time }
where-nothing-waits = Tidak ada yang menunggu.
where-refused = Server menolak. Tidak ada yang hilang.
where-quarantined = { $count ->
   *[other] { $count } kiriman disisihkan karena tidak bisa diperiksa atau ditampilkan. Yang bergantung padanya menunggu; yang lain tetap berjalan.
}
where-connect = Hubungkan ke server
where-exchange = Tukar sekarang
