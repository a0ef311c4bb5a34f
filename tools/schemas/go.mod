module gitward.dev/tools/schemas

go 1.26
