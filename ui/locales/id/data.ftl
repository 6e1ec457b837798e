# "Data Anda": memeriksa, mencadangkan, memperbaiki; menghapus tuntas dan memindahkan butir.

data-title = Data Anda
data-about = Periksa, cadangkan, perbaiki
data-opening = Melihat

check-title = Periksa semua rekam di perangkat ini
check-text = Mecum membaca semua yang tersimpan di perangkat ini dan mengatakan apakah masih seperti saat ditulis. Anda bisa tetap bekerja.
check-begin = Periksa sekarang
check-stop = Berhenti
check-running = Memeriksa, { $percent } %
check-stopped = Pemeriksaan dihentikan. Tidak ada yang diubah.
check-failed = Pemeriksaan tidak selesai. Tidak ada yang diubah.
check-sound = Semuanya seperti saat ditulis: { $looked } bagian, diperiksa { $when }.
check-found = Tidak semuanya seperti saat ditulis. Diperiksa { $when }. Tidak ada yang dibuang.

finding-file = Sebagian berkas tidak terbaca.
finding-older-file = Simpanan terakhir tidak ada: di sini ada berkas yang lebih lama.
finding-identity = Jati diri perangkat ini tidak terbaca.
finding-bookkeeping = Catatan tentang bagian dan pertukaran rusak.
finding-record = Sebagian rekam rusak.
finding-lists = Daftar yang dibuat dari rekam rusak.
finding-unsent = Catatan tentang yang menunggu dikirim rusak.
finding-settings = Pengaturan atau catatan tentang berkas rusak.
finding-put-aside = Yang dulu disisihkan rusak.
finding-by-here = Perangkat ini bisa memperbaikinya.
finding-by-part = Server memiliki bagian ini: hanya bagian ini yang diambil dan diperiksa begitu ada sinyal. Yang lain tetap.
finding-by-server = Server memilikinya: semuanya diambil lagi begitu ada sinyal.
finding-by-backup = Hanya cadangan, kit pemulihan, atau perangkat lain yang memilikinya.
finding-by-nothing = Tidak ada yang hilang karenanya.

backup-title = Cadangkan
backup-text = Cadangan adalah salinan semua yang ada di perangkat ini, dienkripsi dengan frasa sandi yang sama. Cadangan dibaca ulang sebelum dianggap ada.
backup-none = Belum ada cadangan. Yang belum pernah dikirim ke server hanya ada di perangkat ini.
backup-old = Cadangan terakhir sudah { $count } hari: { $when }.
backup-last = Cadangan terakhir: { $when }
backup-folder = Salin juga ke cakram lain. Cadangan ada di
backup-passphrase = Ketik frasa sandi Anda, agar orang lain tidak menyalin rekam Anda.
backup-make = Buat cadangan
backup-stop = Hentikan pencadangan
backup-running = Membuat cadangan dan membacanya ulang, { $percent } %
backup-done = Cadangan sudah ada dan sudah dibaca ulang.
backup-stopped = Pencadangan dihentikan. Tidak ada sisanya.
backup-failed = Cadangan tidak dibuat. Rekam Anda tetap seperti semula.
backup-how-restore = Untuk menaruh cadangan di tempat yang sekarang, kunci Mecum dan pilih “Pulihkan dari cadangan”.
backup-aside = Disisihkan di sini, { $when }
backup-restore = Pulihkan
backup-restore-title = Pulihkan dari cadangan
backup-restore-lead = Cadangan menggantikan yang ada di perangkat ini. Yang ada sekarang disisihkan, tidak dibuang.
backup-restore-passphrase = Ketik frasa sandi yang berlaku saat cadangan ini dibuat.
backup-none-here = Tidak ada cadangan di folder. Salin satu ke sana lalu lihat lagi.
backup-look-again = Lihat lagi

mend-title = Perbaiki
mend-text = Yang baik tetap ada. Yang rusak dibuat lagi darinya, atau diambil dari server dan diperiksa. Berkas yang rusak disisihkan, tidak dibuang.
mend-do = Perbaiki
mend-passphrase = Ketik frasa sandi Anda. Mecum terkunci selama bekerja lalu terbuka lagi sendiri.
mend-running = Memperbaiki
mend-failed = Tidak bisa diperbaiki.
mend-as-it-was = Yang ada di sini tetap seperti sebelumnya.
mend-nothing = Tidak ada yang rusak.
mend-done = Semuanya sudah benar lagi.
mend-partly = Sebagian sudah benar lagi. Yang masih kurang:
mend-entries = { $count ->
   *[other] { $count } butir ada.
}
mend-unsent = { $count ->
   *[other] { $count } perubahan yang belum dikirim tetap disimpan.
}
mend-by-here = Yang rusak dibuat lagi dari yang baik di sini.
mend-by-part = Hanya yang rusak yang diambil dari server.
mend-by-server = Semuanya diambil lagi dari server.
mend-aside = Berkas yang rusak disimpan sebagai

closed-look = Lihat apa yang rusak
closed-look-text = Ketik frasa sandi Anda: tanpanya tidak ada yang bisa dilihat. Tidak ada yang diubah.
closed-look-do = Lihat

aside-begin = Mulai dari awal
aside-question = Sisihkan rekam ini dan mulai dari awal?
aside-text = Perangkat ini lalu kosong. Rekam tetap ada di folder, dan bisa dikembalikan dengan “Pulihkan dari cadangan” dan frasa sandinya.
aside-do = Sisihkan


erase-head = Siapa yang boleh melihat
erase-begin = Hapus tuntas
erase-looking = Melihat siapa yang mungkin sudah membacanya
erase-question = Hapus tuntas “{ $title }” dari rekam { $name }?
erase-text = Butir ini hilang dari semua perangkat yang mengikuti rekam ini, beserta riwayatnya. Tidak ada yang bisa mengembalikannya.
erase-read-by = Mereka mungkin sudah membacanya, dan tetap memiliki yang dibaca:
erase-read-by-none = Tidak ada orang lain yang bisa membacanya.
erase-reads-now = Melihatnya sekarang
erase-devices = { $count ->
   *[other] { $count } perangkat Anda yang lain melakukan hal yang sama pada pertukaran berikutnya.
}
erase-from-file = Butir ini berasal dari berkas. Membawa berkas yang sama lagi tidak mengembalikannya.
erase-waits = Ini menunggu sampai server mengetahuinya. Sampai saat itu bisa dihentikan.
erase-reason-hint = Semua orang di bagian itu bisa membacanya: jangan tulis isi butir di sini.
erase-do = Hapus tuntas
move-question = Pindahkan “{ $title }” ke butir sensitif?
move-text = Sejak itu hanya yang boleh melihat butir sensitif yang melihatnya. Yang sudah dibaca tidak bisa ditarik.
move-do = Pindahkan ke sensitif
move-back-question = Keluarkan “{ $title }” dari butir sensitif?
move-back-text = Siapa pun yang boleh melihat bagian itu akan melihatnya sejak itu.
move-back-do = Keluarkan dari sensitif
erasing-waits = Penghapusan menunggu server
moving-waits = Pemindahan menunggu server
erasing-waits-text = Belum ada yang dilakukan. Ini dilakukan begitu ada sinyal, dan sampai saat itu bisa dihentikan.
erasing-stop = Hentikan
erasing-refused = Tidak dapat dihapus
erasing-refused-text = Yang tidak dapat dihapus tetap seperti semula. Anda dapat menghapusnya lagi.
moving-refused = Tidak dapat dipindahkan
moving-refused-text = Butir ini tetap di tempatnya, dan mungkin sudah ada juga di tempat tujuannya. Pindahkan lagi, maka butir ini ada di satu tempat saja.
erasing-forget = Hapus dari daftar ini
erased-title = Yang dihapus dan dipindahkan, rekam { $name }
erased-none = Tidak ada yang dihapus atau dipindahkan.
erased-something = Sesuatu di { $section }
erased-done = Dihapus tuntas
erased-cleared = Ditinggalkan setelah seseorang dikeluarkan
moved-sensitive = Dipindahkan ke sensitif
moved-back = Dikeluarkan dari sensitif
erased-by = Oleh { $name }
erased-late = { $count ->
   *[other] { $count } perubahan yang sementara itu ditulis di sini ikut hilang.
}

error-erasing-already = Ini sudah ditandatangani dan tidak bisa dihentikan lagi.
error-moving-already = Butir ini sudah ditulis di tempat barunya, dan masih ada di tempat lamanya. Ini tidak bisa dihentikan di tengah jalan.
error-moving-already-do = Tunggu sampai selesai, atau pindahkan lagi. Setelah itu bisa dipindahkan kembali.
error-not-manager = Hanya pemilik rekam ini, atau yang boleh memberi izin, yang bisa melakukannya.
error-settle-first = Ada dua nilai di butir ini. Tidak ada yang diubah.
error-settle-first-do = Putuskan dulu, lalu pindahkan.
error-there-already = Butir ini sudah ada di sana.
