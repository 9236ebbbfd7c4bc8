# METADATA
# title: Countersign
# description: >-
#   Every package below judges one question. Rooms say reasons; `decision`, `listing` and `admin` combine them.
#   This annotation binds the schema of the question to the whole tree, so a mistyped field fails `opa check --schema`.
# scope: subpackages
# schemas:
#   - input: schema.question
package gateway
