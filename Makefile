# Middle Go. `make help` lists the targets. Everything works without make too:
# go run ./grader/cmd/grader week 1

.DEFAULT_GOAL := help
.PHONY: help grader doctor status watch run catch-up new test build unit verify verify-full mutation bench-grader bench-tracker

GRADER := bin/grader

# GNU make turns every failure into exit code 2. A student's script wants the
# grader's code, and his eyes do not want "make: *** Error" under a verdict. So
# the goals that grade run in question mode (-q), where a line with + is still
# executed and a pending line without it makes the exit code 1. Code 3
# (blocked) comes out as 2; bin/grader itself returns it.
ifneq ($(filter week-% milestone-%,$(MAKECMDGOALS)),)
MAKEFLAGS += -q
endif
CODE := bin/.exit-code
outcome = $(if $(filter 0,$(shell cat $(CODE))),,$(if $(filter 1,$(shell cat $(CODE))),false,+@exit 2))

week-%: grade-week-%
	$(outcome)

milestone-%: grade-milestone-%
	$(outcome)

grade-week-%: grader
	+@$(GRADER) week $* $(ARGS); echo $$? > $(CODE)

grade-milestone-%: grader
	+@$(GRADER) milestone $* $(ARGS); echo $$? > $(CODE)

grader:
	+@test -x $(GRADER) || echo 'building the grader; the first time this takes about a minute' >&2
	+@mkdir -p bin && go build -o $(GRADER) ./grader/cmd/grader

hint-week-%: grader
	@id='$*'; $(GRADER) hint "week$${id%%-*}/$${id#*-}" $(N)

hint-m%: grader
	@$(GRADER) hint m$* $(N)

status: grader ## student: the map of all weeks, and the next thing to do
	@$(GRADER) status $(ARGS)

watch: grader ## student: grade again whenever you save (WEEK=5 for another week)
	@$(GRADER) watch $(WEEK)

catch-up: grader ## student: begin a week after one that you missed (week=8); saves what you have
	@$(GRADER) catch-up --week '$(or $(week),$(WEEK))'

run: grader ## student: start the finished tracker and show how to talk to it (OWN=1 for yours)
	+@$(GRADER) run $(if $(OWN),--own)

doctor: grader ## student: what this machine has and lacks
	@$(GRADER) doctor

test: build verify unit ## course: everything that CI runs; it ends with go test's own lines
# All that these build is the course's own, so one build cache does for everything.
test unit verify verify-full mutation: export GRADER_GOCACHE ?= $(shell go env GOCACHE)

build: ## course: build and vet every module, run the lessons' examples and the project
	cd module1 && go vet ./... && go test -vet=off $$(go list ./... | grep -E '/week[0-9]+$$')
	cd tasktracker && go build ./... && go vet ./...
	cd tasktracker/acceptance && go vet ./... && go test -vet=off ./contract
	cmp tasktracker/openapi.yaml solutions/tasktracker/openapi.yaml
	cd solutions/module1 && go build ./... && go vet ./...
	cd solutions/tasktracker && go build ./... && go vet ./... && go test -race -vet=off ./...

unit: ## course: the tests of labkit and of the grader, with -race
	cd grader/labkit && go vet ./... && go test -race -vet=off ./...
	cd grader && go vet ./... && go test -vet=off $(addprefix ./internal/,$(ONE_AT_A_TIME))
	cd grader && go test -race -vet=off -timeout 30m $$(go list ./... | grep -vE '/internal/($(subst $(space),|,$(ONE_AT_A_TIME)))$$')
# Packages that compute and start nothing beside themselves: -race would find
# nothing in them and make their tests take five times as long.
ONE_AT_A_TIME := ci course export gradebook interleave lint mutate report similar
space := $() $()

verify: grader ## course: stubs fail, references pass, wrong solutions are caught, cuts hold (3 runs)
	$(GRADER) verify --runs 3

verify-full: grader ## course: the same with 20 runs each
	$(GRADER) verify --no-cache --runs 20

mutation: grader ## course: the tests find small faults in the references (ARGS=m03a for a milestone)
	$(GRADER) mutate $(or $(ARGS),1 2 3 4 5 6 7 8)

new: grader ## course: scaffold an exercise (EX=week07/slug KIND=implement)
	@$(GRADER) new $(EX) --kind $(or $(KIND),implement)

bench-grader: grader ## course: how fast the grader is, and how often its benchmark gate errs
	cd grader && go test -run '^$$' -bench . -benchtime 1x -timeout 30m ./internal/gatebench

bench-tracker: ## course: what a request to the tracker costs, as a ratio to a bare handler
	cd solutions/tasktracker && go build -o ../../bin/tasktracker ./cmd/tasktracker
	cd grader && go run ./cmd/benchtracker -tracker ../bin/tasktracker

help:
	@echo 'For students'
	@echo '  make week-01 ... week-24     grade a week'
	@echo '  make milestone-m01a          grade a milestone of the project'
	@echo '  make hint-week-01-aliasing   the next hint of an exercise (N=2 for hint 2)'
	@sed -nE 's/^([a-z-]+):.*## student: (.*)/\1|\2/p' Makefile | awk -F'|' '{printf "  make %-23s %s\n", $$1, $$2}'
	@echo
	@echo 'For people who work on the course'
	@sed -nE 's/^([a-z-]+):.*## course: (.*)/\1|\2/p' Makefile | awk -F'|' '{printf "  make %-23s %s\n", $$1, $$2}'
