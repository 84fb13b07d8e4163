# The verdict that the scene's truth gives for one queue item (input); $truth is truth.csv.
def rows: $truth | split("\n") | map(select(length > 0) | split(","));
. as $item
| (rows[0] | to_entries | map({(.value): .key}) | add) as $column
| (rows | map(select(.[$column.survey] == $item.survey.id)) | first) as $row
| ([$item.clip, $item.still] | map(select(. != null) | .sha256)) as $watched
| (if $item.clip == null then {verdict: "undeterminable", reason: "NO_RECORDING"}
   elif $row == null then error("the truth knows no survey " + $item.survey.id)
   elif $row[$column.reason] != "" then {verdict: "invalid", reason: $row[$column.reason]}
   else {verdict: "valid", reason: null} end)
  + {lease: $item.lease, comment: "", correction: null, checklist: {}, watched: $watched,
     played_s: 30, active_s: 30, wall_s: 30, blinding_broken: false}
