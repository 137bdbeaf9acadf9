-- Walks the remaining steps without holds and approvals; each still needs its pods, its verified weight and one Pass.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["ragoperator.dev/request"] = "promote/" .. obj.status.canaryRevision
return obj
