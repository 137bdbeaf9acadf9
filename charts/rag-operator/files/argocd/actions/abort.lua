-- Takes the release that is being rolled out back, and holds.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["ragoperator.dev/request"] = "abort/" .. obj.status.canaryRevision
return obj
