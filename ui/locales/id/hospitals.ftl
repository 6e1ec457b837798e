# Hospitals: connected, connecting, what they publish.

hospitals-title = Rumah sakit
hospitals-opening = Membuka rumah sakit
hospitals-connect-title = Hubungkan rumah sakit
hospitals-connect-short = Hubungkan
hospitals-unnamed = Rumah sakit
hospitals-joining = Menunggu persetujuan loketnya.
hospitals-member = Terhubung.
hospitals-left = Sudah ditinggalkan. Tidak membaca apa pun yang baru.
hospitals-talks = { $count ->
   *[other] { $count } percakapan.
}
hospitals-leave = Tinggalkan
hospitals-leave-title = Tinggalkan { $name }?
hospitals-leave-text = Rumah sakit tidak membaca apa pun yang dikatakan sesudahnya. Yang sudah dikatakan tetap ada pada kedua pihak. Rekam medis tidak berubah.
hospitals-leave-reason = Alasan
hospitals-leave-hint = Rumah sakit membacanya. Boleh dikosongkan.
hospitals-leave-do = Tinggalkan rumah sakit
hospitals-stay = Tetap terhubung
hospitals-kept = Terbaca di sini, belum terhubung
hospitals-find = Cari rumah sakit
hospitals-link = Tautan rumah sakit
hospitals-link-hint = Diawali mecum:hospital dan tertera di poster serta suratnya. Anda tidak perlu akun, dan tidak ada yang diberi tahu bahwa Anda membacanya.
hospitals-read = Baca layanannya
hospitals-connect-lead = Ketik dua belas kata dari loket rumah sakit, atau tempel kodenya.
hospitals-code = Kode dari loket
hospitals-code-hint = Setiap kode untuk satu pasien dan dipakai sekali.
hospitals-code-open = Buka kode
hospitals-already = Rekam medis { $name } sudah terhubung dengan rumah sakit ini.
hospitals-whose = Untuk rekam medis { $name }. Untuk rekam medis lain, buka dulu rekam medis itu.
hospitals-means-read = Rumah sakit membaca yang Anda tulis kepadanya di sini, dan menjawab.
hospitals-means-not = Rumah sakit tidak membaca isi rekam medis. Anda membagikan bagiannya hanya bila Anda mau.
hospitals-means-leave = Anda bisa meninggalkannya kapan saja. Yang sudah dikatakan tetap ada pada kedua pihak.
hospitals-connect-do = Hubungkan untuk { $name }
hospitals-other-code = Pakai kode lain
hospitals-waiting = { $name } harus menyetujui
hospitals-waiting-text = Sebutkan nama Anda di loket. Yang Anda tanyakan sekarang menunggu di sini dan dikirim begitu { $name } menyetujui.
hospitals-waiting-mark = Menunggu. Halaman ini boleh ditinggalkan.
hospitals-working = Membuka akses untuk { $name }
hospitals-working-text = { $name } sudah menyetujui. Ini selesai sendiri bila ada sinyal.
hospitals-done = Terhubung dengan { $name }
hospitals-done-text = Anda bisa meminta kunjungan, bertanya, atau mengadu kepada { $name }, dengan atau tanpa sinyal.
hospitals-ended = Tidak terhubung
hospitals-ended-text = Tidak ada yang dibagikan kepada { $name }. Mintalah kode lain di loket.
hospitals-settings-about = Hubungkan, tinggalkan, baca layanannya
notice-read-done = Sudah dibaca ulang.
notice-again = Baca ulang
notice-open = Sedang buka
notice-closed = Sedang tutup
notice-dates = Diterbitkan { $published }. Dibaca di sini { $fetched }.
notice-old = Ini sudah lebih dari 30 hari. Waktu dan harga mungkin sudah berubah.
notice-first-sight = Belum ada yang menjamin ini. Hubungkan di loket rumah sakit agar yakin ini milik mereka.
notice-hours = Jam buka
notice-span = { $from } sampai { $to }
notice-day-closed = Tutup
notice-services = Layanan
notice-free = { $count ->
    [0] Tidak ada waktu kosong yang diterbitkan
   *[other] { $count } waktu kosong
}
notice-people = Dokter dan perawat
notice-speaks = Berbahasa { $languages }
notice-ladders = Siapa yang menjawab
notice-answers = menjawab dalam { $hours } jam buka
notice-outside = di luar rumah sakit: { $reach }
notice-pledge = Janji rumah sakit
notice-terms = Yang boleh dilakukan dengan yang Anda bagikan
notice-help = Bantuan segera
notice-emergency = Bukan untuk keadaan darurat. Hubungi 119.
notice-link = Tautan rumah sakit ini
notice-link-text = Siapa pun yang membukanya membaca hal yang sama, tanpa akun.
