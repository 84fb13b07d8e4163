# layers.awk LAYERS FILE...: each #include "okno/X.h" must belong to a room that the file's room may
# use; each other quoted #include must stay inside the room.
FNR == NR {
    if ($0 ~ /^#/ || NF == 0) next
    if ($1 == "use") { room = $2; sub(":", "", room); for (i = 3; i <= NF; i++) may[room, $i] = 1; next }
    room = $1; sub(":", "", room)
    for (i = 2; i <= NF; i++) belongs[$i, room] = 1
    rooms[room] = 1
    next
}
FNR == 1 {
    split(FILENAME, part, "/")
    here = part[2] == "video" ? part[3] : part[2]
}
/^#include "okno\// {
    match($0, /okno\/[a-z_]+/)
    header = substr($0, RSTART + 5, RLENGTH - 5)
    fine = 0
    known = 0
    for (room in rooms) {
        if (!((header, room) in belongs)) continue
        known = 1
        if (room == here || (here, room) in may) fine = 1
    }
    if (!known) { print FILENAME ":" FNR ": okno/" header ".h belongs to no room of tools/layers"; bad = 1 }
    else if (!fine) { print FILENAME ":" FNR ": room " here " must not use okno/" header ".h"; bad = 1 }
    next
}
/^#include "\.\.\// && here != "base" {
    if ($0 ~ /embedded\.h/) next
    print FILENAME ":" FNR ": a private header of another folder"; bad = 1
}
END { exit bad }
