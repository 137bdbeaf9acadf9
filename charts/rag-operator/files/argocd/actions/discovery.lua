-- What may be asked of a RagDeployment at this moment; the rest is greyed out. A request is made for what this object shows: where that is
-- older than spec, only what stops something is offered.
-- Lua 5.1 (gopher-lua), without the string library: Argo CD opens base and table only.
local status = obj.status
if status == nil then
  status = {}
end
local current = obj.metadata.deletionTimestamp == nil and tonumber(status.observedGeneration) == tonumber(obj.metadata.generation)
local canary = obj.metadata.deletionTimestamp == nil and status.canaryRevision ~= nil
local beside = canary and status.stableRevision ~= nil

local waits = false
if beside and status.step ~= nil and status.step.approved ~= true and obj.spec.rollout ~= nil and obj.spec.rollout.steps ~= nil then
  for _, step in ipairs(obj.spec.rollout.steps) do
    if step.name == status.step.name and step.approval == "Required" then
      waits = true
    end
  end
end

local rolledBack = false
if status.failedRevision ~= nil and status.conditions ~= nil then
  for _, condition in ipairs(status.conditions) do
    if condition.type == "Stalled" and condition.status == "True" and condition.reason == "RolledBack" then
      rolledBack = true
    end
  end
end

local actions = {}
actions["approve"] = {["disabled"] = not (current and waits), ["displayName"] = "Approve this step", ["iconClass"] = "fa fa-fw fa-check"}
actions["promote"] = {
  ["disabled"] = not (current and beside and status.promoting ~= true),
  ["displayName"] = "Promote without holds",
  ["iconClass"] = "fa fa-fw fa-forward"
}
actions["pause"] = {["disabled"] = not (canary and status.paused == nil), ["displayName"] = "Pause", ["iconClass"] = "fa fa-fw fa-pause"}
actions["resume"] = {
  ["disabled"] = not (current and canary and status.paused ~= nil),
  ["displayName"] = "Resume",
  ["iconClass"] = "fa fa-fw fa-play"
}
actions["abort"] = {["disabled"] = not beside, ["displayName"] = "Abort and roll back", ["iconClass"] = "fa fa-fw fa-undo"}
actions["retry"] = {["disabled"] = not (current and rolledBack), ["displayName"] = "Try again", ["iconClass"] = "fa fa-fw fa-redo"}
return actions
